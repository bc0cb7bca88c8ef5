// Written by `npm run generate`: where this code runs without the folder db/, it still knows what it was written for.

/** The name of the newest migration that this code comes with. */
export const LATEST_MIGRATION = 'migrations/0003_house.sql';
