// Written by `npm run generate`, for code that runs where the folder db/ does not exist.

/** The name of the newest migration in this code. */
export const LATEST_MIGRATION = 'migrations/0015_moderation.sql';
/** Goes up with each change of the procedures: a server never replaces those of a newer version. */
export const BEHAVIOUR_VERSION = 20_261_130_000_017;
