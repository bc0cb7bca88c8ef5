import { pluralIn } from '../plural.ts';

const n = pluralIn('en');
const credits = (count: number) => n(count, { one: '# credit', other: '# credits' });
const films = (count: number) => n(count, { one: '# video', other: '# videos' });

/** What the dialogs about the account say. The other languages must have the same keys. */
export const account = {
  account: 'Account',
  guest: 'Guest',
  guestHint: 'This account belongs to this browser alone.',
  appleUser: 'Signed in with Apple',
  noEmail: 'No e-mail address',
  signIn: 'Sign in with Apple',
  asking: 'Waiting for Apple’s window…',
  mergingGuest: 'Moving to your Apple account…',
  mergeBrings: (count: number, videos: number) =>
    `Your ${credits(count)}${videos > 0 ? ` and ${films(videos)}` : ''} move to your Apple account. If you already have one here, they are added to it.`,
  merged: (count: number) => `You are signed in with Apple, with ${credits(count)}.`,
  appleProblems: {
    blocked: 'Your browser has blocked Apple’s window. Allow pop-ups for this page, then try again.',
    closed: 'The window was closed before you had signed in. Nothing has changed.',
    insecure: 'Sign in with Apple needs a secure page: open this one with https, or as localhost.',
    failed: 'Apple could not sign you in. Nothing has changed.',
  },
  sessions: 'Where you are signed in',
  thisDevice: 'This device',
  otherDevice: 'Another device',
  lastSeen: (time: string) => `Last seen ${time}`,
  endSession: 'End',
  endSessionSeen: (time: string) => `End the session last seen ${time}`,
  sessionEnded: 'That session has ended.',
  endOthers: 'End all others',
  othersEnded: 'All other sessions have ended.',
  yourData: 'Your data',
  exportHint: 'Profile, videos, credit history, uploads and sessions, in one JSON file.',
  exportData: 'Download',
  exporting: 'Preparing…',
  exported: 'Your data was downloaded.',
  exportCut: 'The download was cut off. Try again.',
  signOut: 'Sign out',
  signOutEverywhere: 'Sign out everywhere',
  deleteAccount: 'Delete account',
  deleteTitle: 'Delete your account?',
  deleteLost: 'This deletes for good:',
  deleteImages: 'your images and prompts',
  deleteSessions: 'your sessions on all devices',
  deleteApple: 'the link to your Apple account',
  deleteAfter: 'Videos in progress are cancelled. Welcome credits are given once per device.',
  deleteConfirm: 'I understand that this cannot be undone.',
  deleteYes: 'Delete for good',
  deleting: 'Deleting…',
  signedOut: {
    signed_out: 'You are signed out.',
    deleted: 'Your account is deleted.',
    ended: 'You have been signed out. Sign in again to see your videos.',
  } as Record<string, string>,
  continueAsGuest: 'Continue as a guest',
  noAccount: 'Sign in or continue as a guest first.',
  films,
};

export type AccountMessages = typeof account;
