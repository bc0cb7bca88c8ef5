import { pluralIn } from './plural.ts';

const n = pluralIn('en');
const credits = (count: number) => n(count, { one: '# credit', other: '# credits' });

/** What the page says, in English. The other languages are held to these keys. */
export const en = {
  // The page
  skip: 'Skip to the form',
  reference: 'API reference',
  language: 'Language',
  theme: 'Theme',
  themes: { light: 'Light', dark: 'Dark', system: 'As the system' },
  close: 'Close',
  loading: 'Loading',

  // What to make
  ask: 'What should the video show?',
  placeholder: 'A paper boat drifting down a rainy street at dusk',
  askOfPicture: 'What should happen in the picture?',
  placeholderOfPicture: 'The boat drifts slowly towards the lights',
  motions: [
    { label: 'Come closer', prompt: 'The camera moves slowly closer' },
    { label: 'A breeze', prompt: 'A light breeze moves hair, leaves and clothes' },
    { label: 'A smile', prompt: 'They look up into the camera and smile' },
    { label: 'Snow', prompt: 'Snow begins to fall in large, slow flakes' },
    { label: 'A way around', prompt: 'The camera circles slowly to the left' },
    { label: 'Evening', prompt: 'Evening falls and the lamps come on' },
  ],
  ideasLabel: 'Or begin with an idea',
  moreIdeas: 'Other ideas',
  ideas: [
    { label: 'A cat at the piano', prompt: 'A cat at the piano, candlelight, a slow move towards its paws' },
    { label: 'A sea of clouds', prompt: 'A sea of clouds at sunrise, seen from a small red airship' },
    { label: 'Night lanterns', prompt: 'Paper lanterns rising over a still lake at night' },
    { label: 'Rain in the city', prompt: 'Neon signs mirrored in puddles, umbrellas passing by in the rain' },
    { label: 'A tiny gardener', prompt: 'A thumb-sized gardener waters a fern on a window sill, morning light' },
    { label: 'The last tram', prompt: 'The last tram of the night glides through falling snow' },
  ],
  counter: (length: number, max: number) => `${length.toLocaleString('en')} of ${max.toLocaleString('en')} characters`,

  // With which model
  model: 'Model',
  allModels: (count: number) => `Show all ${count} models`,
  categories: {
    sandbox: 'Sandbox',
    cinematic: 'Cinematic',
    creative: 'Creative',
    'image-to-video': 'From a picture',
  } as Record<string, string>,
  descriptions: {} as Record<string, string>,
  featured: 'Featured',
  simulated: 'Simulated',
  simulatedWhy:
    'No vendor is called for this model: a stock film stands in for your scene. With the vendor’s key on the server, it is really made.',
  simulatedFilm: 'A stock film: no vendor was called for it.',
  fast: 'Fast',
  needsPicture: 'Needs a picture',
  perVideo: (count: number) => `${credits(count)} per video`,
  perSeconds: (count: number, seconds: number) =>
    seconds === 1
      ? `${credits(count)} per second`
      : `${credits(count)} per ${n(seconds, { one: '# second', other: '# seconds' })}`,

  // From which picture
  picture: 'Picture',
  pictureChoose: 'Choose a picture',
  pictureHint: 'or drop or paste one here',
  pictureHintTouch: 'from your photos or your camera',
  pictureDrop: 'Drop it here',
  pictureReplace: 'Choose another',
  pictureRemove: 'Remove the picture',
  pictureSending: 'Uploading the picture',
  pictureReady: 'The picture is uploaded.',
  pictureMissing: 'Choose the picture that is to move.',
  pictureCropped: 'The video shows this part of it.',
  pictureCopy: (width: number, height: number) => `Sent as a copy of ${width} × ${height} pixels.`,
  pictureProblems: {
    notPicture: () => 'That file is not a picture that this browser can open. Nothing was sent.',
    tooLarge: () => 'That picture is too large for this browser to make smaller. Nothing was sent.',
    tooSmall: (min: number) => `That picture is too small: each side needs ${min} pixels. Nothing was sent.`,
    oddShape: () => 'That picture is too long and narrow for a video. Nothing was sent.',
  },

  // With which settings
  settings: {
    duration: 'Length',
    aspect_ratio: 'Shape',
    resolution: 'Resolution',
    fps: 'Frames per second',
    audio: 'Sound',
  } as Record<string, string>,
  seconds: (count: number) => n(count, { one: '# second', other: '# seconds' }),
  secondsShort: (count: number) => `${count} s`,

  // The button, and why not
  generate: 'Make the video',
  uploading: 'Uploading the picture…',
  sending: 'Sending…',
  waiting: 'Waiting for the connection…',
  credits,
  tooShort: (min: number) => `Describe it in at least ${min} characters.`,
  tooLong: (over: number, max: number) =>
    n(over, {
      one: `That is # character more than ${max.toLocaleString('en')}.`,
      other: `That is # characters more than ${max.toLocaleString('en')}.`,
    }),
  tooDear: (need: number, have: number) => `This costs ${credits(need)} and you have ${have}.`,
  noCredits: 'You have no credits left. More can be bought in the app.',
  noModels: 'No model is available on this server.',
  noConnection: 'There is no connection right now.',
  newGuest: 'Start again as a new guest',
  newGuestTitle: 'Start again as a new guest?',
  newGuestText: 'You get new welcome credits. This browser will forget your videos and what is left of your credits.',
  newGuestYes: 'Start again',
  keep: 'Keep everything',

  // The stage
  stage: 'The video',
  empty: 'Your video will play here',
  emptyHint: 'Describe a scene or pick an idea, and press the button.',
  emptyHintOfPicture: 'Choose a picture, say what should happen in it, and press the button.',
  queued: 'Waiting for its turn',
  inLine: (place: number) => `Number ${place} in line`,
  setting: 'Setting the scene',
  making: 'Making your video',
  finishing: 'Finishing touches',
  soFar: 'so far',
  done: 'Your video is ready.',
  failedTitle: 'No video this time',
  cancelledTitle: 'Cancelled',
  failedPlain: 'This video could not be made. Its credits are back in your balance.',
  cancel: 'Cancel',
  cancelling: 'Cancelling…',
  again: 'Again, with changes',
  download: 'Download',
  tryAgain: 'Try again',

  // The videos made so far
  history: 'Your videos',
  more: 'Show more',
  remove: 'Delete',
  removed: (count: number) => n(count, { one: 'Video deleted', other: '# videos deleted' }),
  undo: 'Undo',
  statuses: { pending: 'Waiting', processing: 'In the making', completed: 'Ready', failed: 'No video' },

  // Credits
  balance: (count: number) => `${credits(count)} left`,
  balanceOpen: 'Show where your credits went',
  ledger: 'Where your credits went',
  ledgerEmpty: 'Nothing has moved yet.',
  balanceAfter: (count: number) => `${count} left`,
  showVideo: 'Show the video',
  videoGone: 'That video has been deleted.',
  reasons: {
    initial_grant: 'Welcome credits',
    video_generation: 'Video',
    generation_failed_refund: 'Credits back for a video',
    iap_purchase: 'Bought in the app',
    apple_refund: 'Purchase refunded',
    apple_refund_reversed: 'Refund taken back',
    admin_refund: 'Credits back from support',
    admin_adjustment: 'Correction',
    account_merge: 'From your guest account',
    promo_grant: 'A gift',
    code_redeemed: 'Code redeemed',
    credits_expired: 'Expired',
    store_refund: 'Purchase refunded',
  } as Record<string, string>,

  // When something is wrong
  lost: 'The connection is lost. A video in the making goes on; this page catches up by itself.',
  offline: 'You are offline. Check your network; this page catches up by itself.',
  unexpected: 'The server gave an answer that this page does not understand.',
  quote: 'Reference',
  copy: 'Copy the reference',
  copied: 'Copied',
  retry: 'Try again',
  brokenVideo: 'The video does not load.',
};

export type Words = typeof en;
