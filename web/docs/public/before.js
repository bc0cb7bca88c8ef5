// Read by a scroller inside the reference UI, which would take over every link within the page and stop below its head.
window.noZensmooth = true;
