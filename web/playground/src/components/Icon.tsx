/** Line icons on a 24 × 24 grid, in the colour of the surrounding text. */
const PATHS = {
  sun: 'M12 3v2m0 14v2M3 12h2m14 0h2M5.6 5.6 7 7m10 10 1.4 1.4M5.6 18.4 7 17M17 7l1.4-1.4M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8Z',
  moon: 'M20 14.5A8.5 8.5 0 0 1 9.5 4 8.5 8.5 0 1 0 20 14.5Z',
  system: 'M4 5h16v11H4zM9 20h6m-3-4v4',
  globe: 'M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18ZM3 12h18M12 3c5 5 5 13 0 18-5-5-5-13 0-18Z',
  spark: 'M12 3c.6 5.2 3.8 8.4 9 9-5.2.6-8.4 3.8-9 9-.6-5.2-3.8-8.4-9-9 5.2-.6 8.4-3.8 9-9Z',
  bolt: 'M13 3 5 14h6l-1 7 8-11h-6z',
  image: 'M4 5h16v14H4zM4 16l4.5-4.5 4 4L15 13l5 4M15.5 9.2v.1',
  shuffle:
    'M3 7h3c5 0 6 10 11 10h4m0 0-3-3m3 3-3 3M3 17h3c1.5 0 2.6-.9 3.5-2.2M14 8.500C14.900 7.600 15.800 7 17 7h4m0 0-3-3m3 3-3 3',
  download: 'M12 4v11m0 0-4.500-4.500M12 15l4.500-4.500M5 20h14',
  redo: 'M4 12a8 8 0 1 1 2.500 5.800M4 12V7m0 5h5',
  bin: 'M5 7h14M10 7V4.500h4V7M7 7l.8 12.500h8.400L17 7M10.500 11v5m3-5v5',
  close: 'M6 6l12 12M18 6 6 18',
  copy: 'M9 9h11v11H9zM15 9V4H4v11h5',
  check: 'M5 12.500 10 17.500 19.500 7',
  play: 'M8 5.500v13l10.500-6.500z',
  warning: 'M12 4 2.500 20h19zM12 10v4.500m0 2.800v.1',
  offline:
    'M3 3l18 18M8.500 15.500a5 5 0 0 1 5.500-1M5 12a10 10 0 0 1 4-2.400M19 12a10 10 0 0 0-5-2.700M2 8.500a14 14 0 0 1 4-2.400M22 8.500A14 14 0 0 0 11 5M12 19v.1',
  person: 'M12 4a4 4 0 1 0 0 8 4 4 0 0 0 0-8ZM4.500 20.500c.8-4 3.800-6 7.500-6s6.700 2 7.500 6',
  plus: 'M12 5v14M5 12h14',
  coin: 'M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18ZM10.200 8.400v7.200l5.600-3.600z',
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name }: { name: IconName }) {
  return (
    <svg className="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      <path d={PATHS[name]} />
    </svg>
  );
}
