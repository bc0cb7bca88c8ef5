import { account } from './account/en.ts';
import { pluralIn } from './plural.ts';
import { shop } from './shop/en.ts';

const n = pluralIn('en');
const credits = (count: number) => n(count, { one: '# credit', other: '# credits' });

/** The page's messages in English. The other languages must have the same keys. */
export const en = {
  // The page
  skip: 'Skip to the form',
  reference: 'API reference',
  language: 'Language',
  theme: 'Theme',
  themes: { light: 'Light', dark: 'Dark', system: 'System' },
  close: 'Close',

  // The prompt
  ask: 'What should the video show?',
  placeholder: 'A paper boat drifting down a rainy street at dusk',
  askAboutImage: 'What should happen in the image?',
  imagePlaceholder: 'The boat drifts slowly towards the lights',
  motions: [
    { label: 'Move closer', prompt: 'The camera slowly moves closer' },
    { label: 'A breeze', prompt: 'A light breeze moves hair, leaves and clothes' },
    { label: 'A smile', prompt: 'They look up into the camera and smile' },
    { label: 'Snow', prompt: 'Snow begins to fall in large, slow flakes' },
    { label: 'Circle around', prompt: 'The camera slowly circles to the left' },
    { label: 'Evening', prompt: 'Evening falls and the lights come on' },
  ],
  ideasLabel: 'Or start with an idea',
  moreIdeas: 'More ideas',
  ideas: [
    {
      label: 'A cat at the piano',
      prompt: 'A cat playing the piano by candlelight, the camera slowly closing in on its paws',
    },
    { label: 'A sea of clouds', prompt: 'A sea of clouds at sunrise, seen from a small red airship' },
    { label: 'Night lanterns', prompt: 'Paper lanterns rising over a still lake at night' },
    { label: 'Rain in the city', prompt: 'Neon signs mirrored in puddles, umbrellas passing by in the rain' },
    { label: 'A tiny gardener', prompt: 'A thumb-sized gardener waters a fern on a windowsill in the morning light' },
    { label: 'The last tram', prompt: 'The last tram of the night glides through falling snow' },
  ],
  counter: (length: number, max: number) => `${length.toLocaleString('en')} of ${max.toLocaleString('en')} characters`,

  // The model
  model: 'Model',
  allModels: (count: number) => `Show all ${count} models`,
  categories: {
    sandbox: 'Sandbox',
    cinematic: 'Cinematic',
    creative: 'Creative',
    'image-to-video': 'From an image',
  } as Record<string, string>,
  descriptions: {} as Record<string, string>,
  featured: 'Featured',
  simulated: 'Simulated',
  simulatedWhy:
    'This model is simulated: no vendor is called, and you get a stock video instead of your scene. To create real videos, add the vendor’s API key to the server.',
  simulatedVideo: 'This is a stock video: no vendor was called.',
  fast: 'Fast',
  needsImage: 'Needs an image',
  perVideo: (count: number) => `${credits(count)} per video`,
  perSeconds: (count: number, seconds: number) =>
    seconds === 1
      ? `${credits(count)} per second`
      : `${credits(count)} per ${n(seconds, { one: '# second', other: '# seconds' })}`,

  // The image
  image: 'Image',
  imageChoose: 'Choose an image',
  imageHint: 'or drop or paste one here',
  imageHintTouch: 'from your photos or your camera',
  imageDrop: 'Drop it here',
  imageReplace: 'Choose another',
  imageRemove: 'Remove the image',
  imageSending: 'Uploading the image',
  imageUploaded: 'Image uploaded.',
  imageMissing: 'Choose an image to animate.',
  imageCropped: 'The video will show this part of the image.',
  imageCopy: (width: number, height: number) => `Sent as a ${width} × ${height} pixel copy.`,
  imageProblems: {
    notImage: () => 'That file is not an image this browser can open. Nothing was sent.',
    tooLarge: () => 'That image is too large for this browser to resize. Nothing was sent.',
    tooSmall: (min: number) => `That image is too small: each side needs at least ${min} pixels. Nothing was sent.`,
    oddShape: () => 'That image is too long and narrow for a video. Nothing was sent.',
  },

  // The settings
  settings: {
    duration: 'Length',
    aspect_ratio: 'Aspect ratio',
    resolution: 'Resolution',
    fps: 'Frames per second',
    audio: 'Sound',
  } as Record<string, string>,
  seconds: (count: number) => n(count, { one: '# second', other: '# seconds' }),
  secondsShort: (count: number) => `${count} s`,

  // The button, and why it cannot be used
  generate: 'Create video',
  uploading: 'Uploading the image…',
  sending: 'Sending…',
  waiting: 'Waiting for a connection…',
  credits,
  tooShort: (min: number) => `Describe your video in at least ${min} characters.`,
  tooLong: (over: number, max: number) =>
    n(over, {
      one: `# character over the limit of ${max.toLocaleString('en')}.`,
      other: `# characters over the limit of ${max.toLocaleString('en')}.`,
    }),
  tooExpensive: (need: number, have: number) => `This costs ${credits(need)}, but you only have ${have}.`,
  noCredits: 'You have no credits left.',
  noModels: 'No models are available on this server.',
  noConnection: 'No connection right now.',
  newGuest: 'Start over as a new guest',
  newGuestTitle: 'Start over as a new guest?',
  newGuestText: 'You will get new welcome credits. This browser will forget your videos and your remaining credits.',
  newGuestYes: 'Start over',
  keep: 'Keep everything',

  // The stage
  stage: 'Video',
  empty: 'Your video will play here',
  emptyHint: 'Describe a scene or pick an idea, then press the button.',
  emptyHintImage: 'Choose an image, describe what should happen in it, then press the button.',
  queued: 'Waiting in the queue',
  inQueue: (position: number) => `Number ${position} in the queue`,
  setting: 'Setting the scene',
  making: 'Creating your video',
  finishing: 'Finishing touches',
  elapsed: 'elapsed',
  done: 'Your video is ready.',
  failedTitle: 'No video this time',
  cancelledTitle: 'Cancelled',
  failedPlain: 'This video could not be created. Its credits are back in your balance.',
  cancel: 'Cancel',
  cancelling: 'Cancelling…',
  makeChanges: 'Make changes',
  download: 'Download',
  tryAgain: 'Try again',

  // The history
  history: 'Your videos',
  more: 'Show more',
  remove: 'Delete',
  removed: (count: number) => n(count, { one: 'Video deleted', other: '# videos deleted' }),
  undo: 'Undo',
  statuses: { pending: 'Waiting', processing: 'In progress', completed: 'Ready', failed: 'Failed' },

  // Credits
  balance: (count: number) => `${credits(count)} left`,
  balanceOpen: 'Show credit history',
  ledger: 'Credit history',
  ledgerEmpty: 'No changes yet.',
  balanceAfter: (count: number) => `${count} left`,
  showVideo: 'Show video',
  videoGone: 'That video has been deleted.',
  reasons: {
    initial_grant: 'Welcome credits',
    video_generation: 'Video',
    generation_failed_refund: 'Refund for a video',
    iap_purchase: 'Purchase',
    apple_refund: 'Purchase refunded by the App Store',
    apple_refund_reversed: 'App Store refund reversed',
    admin_refund: 'Refund from support',
    admin_adjustment: 'Adjustment',
    account_merge: 'From your guest account',
    promo_grant: 'Gift',
    code_redeemed: 'Code',
    credits_expired: 'Expired credits',
    store_refund: 'Purchase refunded',
    store_refund_reversed: 'Refund of a purchase reversed',
  } as Record<string, string>,

  // The account
  ...account,

  // The shop
  ...shop,

  // Errors
  connectionLost:
    'Connection lost. Videos in progress will continue, and this page will update once you are back online.',
  offline: 'You are offline. Check your network; this page will update once you are back online.',
  unexpected: 'The server sent an unexpected response.',
  errorReference: 'Reference',
  copy: 'Copy reference',
  copied: 'Copied',
  retry: 'Try again',
  brokenVideo: 'The video could not be loaded.',
};

export type Messages = typeof en;
