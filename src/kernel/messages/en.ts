/**
 * The messages for users in English, the source of the other languages. Each code has a `plain` message without values; the
 * other variants are chosen by `details.reason` or by the details themselves, if all values that they name are present.
 */
export const en = {
  ERR_4001: {
    plain: 'You do not have enough credits. Please purchase more credits.',
    detailed:
      'You need {required, plural, one {# credit} other {# credits}}, but only have {available, number}. Please purchase more credits.',
    debt: 'You need {required, plural, one {# credit} other {# credits}}, but a refunded purchase has left your balance at {available, number}. Please purchase more credits.',
  },
  ERR_4002: {
    plain: 'This model is not available. Please choose another one.',
    unknown: 'This model does not exist. Please choose one from the list.',
  },
  ERR_4003: {
    plain: 'Please describe your video in a few words.',
    policy: 'This prompt is not allowed here. Please describe another video. Nothing was charged.',
    lengths: 'Please describe your video in {minLength, number} to {maxLength, number} characters.',
    shorter: 'Please describe your video in at least {minLength, plural, one {# character} other {# characters}}.',
    longer: 'Please describe your video in at most {maxLength, plural, one {# character} other {# characters}}.',
  },
  ERR_4004: {
    plain: 'That was a little too fast. Please wait a moment and try again.',
    detailed:
      'That was a little too fast. Please try again in {retry_after, plural, one {# second} other {# seconds}}.',
    minutes:
      'You have reached the limit for now. Please try again in {minutes, plural, one {# minute} other {# minutes}}.',
    in_flight: 'You have reached the limit of videos in progress. Please wait until one is finished.',
    refunded_cancels: 'You have cancelled many videos that were already being made. Please let this one finish.',
    daily_spend:
      'You have reached the limit of credits for one day. Please try again in {hours, plural, one {# hour} other {# hours}}.',
    code_guesses:
      'You have entered too many codes that do not work. Please try again in {minutes, plural, one {# minute} other {# minutes}}.',
  },
  ERR_4005: {
    plain: 'We could not find your session. Please reopen the app to continue.',
    expired: 'Your session has expired. Please reopen the app to continue.',
    invalid: 'Your session is no longer valid. Please reopen the app to continue.',
    signature: 'The signature of this request is not valid.',
    forbidden: 'You are not allowed to do this.',
    link: 'This link is not valid.',
    link_expired: 'This link has expired. Please open the video again to get a new one.',
    upload_link_expired: 'This upload link has expired. Please request a new one.',
    identity_token: 'We could not verify your Sign in with Apple. Please try again.',
  },
  ERR_4006: {
    plain: 'Something in this request is not valid. Please check it and try again.',
    detailed: 'The value of “{field}” is not valid.',
    missing: '“{field}” is missing.',
    listed: '“{field}” must be one of these: {allowed}.',
    range: '“{field}” must be between {minimum, number} and {maximum, number}.',
    least: '“{field}” must be at least {minimum, number}.',
    most: '“{field}” must be at most {maximum, number}.',
    lengths: '“{field}” must be {minLength, number} to {maxLength, number} characters long.',
    shorter: '“{field}” must be at least {minLength, plural, one {# character} other {# characters}} long.',
    longer: '“{field}” must be at most {maxLength, plural, one {# character} other {# characters}} long.',
    malformed_json: 'The request is not valid JSON.',
    malformed_text: 'The request is not valid UTF-8 text.',
    not_an_object: 'The request must be a JSON object.',
    too_deep: 'The request is nested too deeply.',
    forbidden_characters: '“{field}” contains characters that are not allowed.',
    number: '“{field}” is a number that is too large or too precise.',
    duplicate_key: '“{field}” is given more than once.',
    file_name: 'This file name is not allowed. Please use only plain letters, digits, spaces and common punctuation.',
    malformed_form: 'The form in this request is incomplete.',
    picture_side: 'Each side of the image must be between {minimum, number} and {maximum, number} pixels.',
    picture_pixels: 'This image is too large. It can have at most {maximum, number} pixels in total.',
    picture_small: 'This image is too small to animate. Its shorter side must be at least {minimum, number} pixels.',
    picture_shape: 'This image is too long and narrow to animate.',
    picture_unknown: 'Please choose an image that you have uploaded.',
    no_change: 'Nothing in this request would change anything.',
    past: 'The time in “{field}” has passed already.',
    no_duration: 'This model’s settings have no default duration, so it cannot be sold by the second.',
  },
  ERR_4007: { plain: 'We could not find that. It may have been deleted.' },
  ERR_4008: {
    plain: 'This is no longer possible because something has changed in the meantime.',
    running: 'This video is still being made. Please wait until it is finished.',
    finished: 'This video can no longer be cancelled.',
    in_progress: 'We are still working on this request. Please try again in a moment.',
    exists: 'A file with this name already exists.',
    uploads_full: 'You have reached the limit for stored images. Please delete some first.',
    apple_account: 'This account already belongs to another Apple Account.',
    below_zero: 'The balance would fall below zero. It is {credits_remaining, number}.',
    code_exists: 'There is already such a code.',
  },
  ERR_4009: { plain: 'This request was already sent with different content. Please start a new one.' },
  ERR_4010: {
    plain: 'We could not verify this device. Please update the app and try again.',
    apple_account:
      'This device belongs to an account that uses Sign in with Apple. Please sign in with Apple to continue.',
  },
  ERR_4011: {
    plain: 'We could not verify this purchase. Please restore your purchases and try again.',
    unknown_product: 'This purchase is for a product that is not sold here.',
    revoked: 'This purchase was refunded, so it adds no credits.',
  },
  ERR_4012: { plain: 'This purchase belongs to another account and can only be used there.' },
  ERR_4013: { plain: 'This account has been suspended. Please contact support.' },
  ERR_4014: { plain: 'This is too large to send.', sized: 'This is too large. The limit is {size}.' },
  ERR_4015: {
    plain: 'This kind of content is not supported.',
    listed: 'This kind of content is not supported. Please send {allowed}.',
    damaged: 'This image is damaged or incomplete. Please choose another one.',
    animated: 'This image is animated. Please choose a still image.',
    compressed: 'Compressed content is not supported. Please send it uncompressed.',
  },
  ERR_4016: {
    plain: 'This URL does not accept this method.',
    listed: 'This URL does not accept this method. Please use {allowed}.',
  },
  ERR_4017: { plain: 'This feature is not enabled here.' },
  ERR_4018: { plain: 'This code does not work. It may be misspelt, expired or already used up.' },
  ERR_4019: {
    plain: 'New videos are paused for a short while. You were not charged. Please try again soon.',
    detailed:
      'New videos are paused for a short while. You were not charged. Please try again in {retry_after, plural, one {# second} other {# seconds}}.',
    minutes:
      'New videos are paused for a short while. You were not charged. Please try again in {minutes, plural, one {# minute} other {# minutes}}.',
  },
  ERR_5001: {
    plain:
      'The video took too long, so we stopped waiting. You were not charged: any credits it used are back in your balance.',
    refunded:
      'The video took too long, so we stopped waiting. You were not charged: {refunded, plural, one {your # credit is} other {your # credits are}} back in your balance.',
  },
  ERR_5002: {
    plain:
      'The video service cannot be reached right now. You were not charged: any credits used are back in your balance. Please try again later.',
    refunded:
      'The video service cannot be reached right now. You were not charged: {refunded, plural, one {your # credit is} other {your # credits are}} back in your balance. Please try again later.',
    nothing_charged:
      'The video service cannot be reached right now. You were not charged. Please try again in a moment, or choose another model.',
  },
  ERR_5003: {
    plain:
      'The video service declined this request. You were not charged: any credits used are back in your balance. Please change the prompt or the settings and try again.',
    refunded:
      'The video service declined this request. You were not charged: {refunded, plural, one {your # credit is} other {your # credits are}} back in your balance. Please change the prompt or the settings and try again.',
    moderated:
      'The video service declined this request because of its content rules. You were not charged: any credits used are back in your balance. Please change the prompt or the image and try again.',
    image_gone:
      'The image of this video was deleted or replaced before the video service had it. You were not charged: any credits used are back in your balance. Please choose an image and try again.',
    image_unreadable:
      'The video service could not read the image of this video. You were not charged: any credits used are back in your balance. Please upload the image again, or choose another one.',
  },
  ERR_5004: {
    plain: 'You cancelled this video. Its credits are back in your balance.',
    refunded:
      'You cancelled this video. {refunded, plural, one {Its # credit is} other {Its # credits are}} back in your balance.',
  },
  ERR_5005: {
    plain:
      'The video service returned a video that does not play. You were not charged: its credits are back in your balance. Please try again.',
    refunded:
      'The video service returned a video that does not play. You were not charged: {refunded, plural, one {its # credit is} other {its # credits are}} back in your balance. Please try again.',
  },
  ERR_5006: { plain: 'A service that we depend on cannot be reached right now. Please try again in a few minutes.' },
  ERR_6001: {
    plain: 'We cannot reach our database right now. Please try again in a moment.',
    busy: 'We are very busy right now. Please try again in a moment.',
  },
  ERR_6002: { plain: 'We cannot reach our video storage right now. Please try again in a moment.' },
  ERR_6003: { plain: 'Something went wrong on our side. Please try again in a moment.' },
};
