// Switches off a scroller inside the reference UI, which would handle every link within the page and ignore its sticky header.
window.noZensmooth = true;
