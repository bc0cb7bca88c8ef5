// Written by `npm run generate`, for code that runs where the folder db/ does not exist.

/** The name of the newest migration in this code. */
export const LATEST_MIGRATION = 'migrations/0003_house.sql';
