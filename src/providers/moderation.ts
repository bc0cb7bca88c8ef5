/**
 * Whether a vendor's words say that its rules on content are the reason. Vendors use many words for it, and the services
 * behind them more; the words of an ordinary validation are not among them.
 */

/** In the types and codes of errors, and in names of a status. */
const TYPE =
  /^(?:flagged|filtered|blocked)$|(?:^|[._-])(?:safety|moderat\w*|nsfw|content[._-]?(?:polic\w*|filter\w*|blocked|violation)|polic\w*[._-]violation|prohibited|sensitive|unsafe|inappropriate)(?=$|[._-](?!tolerance|checker))|sensitivecontent/i;

const WORDS = new RegExp(
  [
    String.raw`\b(?:nsfw|moderat\w*|prohibited|inappropriate|unsafe|harmful|offensive|disallowed|flagged|nudity|sexual\w*|pornograph\w*|violent|violence|hateful|deepfakes?|celebrit\w*|likeness(?:es)?|copyright\w*|trademark\w*)\b`,
    String.raw`\bsafety\b(?![ _-]?toler)`,
    String.raw`(?<!case[ -])\bsensitive\b`,
    String.raw`\bresponsible ai\b|\brisk[ -]control\b|\bpublic figures?\b|\bhate speech\b|\bexplicit (?:content|material|imagery|images?)\b`,
    String.raw`\bcontent[ _-]?(?:policy|policies|checker|filter\w*|moderation|guidelines?|rules|restrictions?|violations?|warning)\b`,
    String.raw`\b(?:usage|acceptable[ -]use|community|platform) (?:policy|policies|guidelines?|standards?|rules)\b`,
    String.raw`\bviolat\w*\b.{0,60}\b(?:policy|policies|terms|guidelines?|rules|standards?)\b`,
    String.raw`\bagainst (?:our|the|its|their) (?:policy|policies|terms|guidelines?|rules)\b`,
    String.raw`\brephras(?:e|ing)\b`,
  ].join('|'),
  'i',
);

/** The vendor's check is out of order, or our account is meant: neither says anything about the content. */
const OTHERWISE =
  /\bunavailable\b|\btimed? ?-?out\b|\boverload\w*\b|\btemporar\w*\b|\bfailed to (?:load|run|start|respond)\b|\baccount\b|\buser is\b|\bapi key\b|\bsuspended\b|\bbanned\b/i;

export function isModerationType(type: string): boolean {
  return TYPE.test(type);
}

/** `message` must be free of the user's own words: a prompt may contain any of these. */
export function isModerationMessage(message: string): boolean {
  return WORDS.test(message) && !OTHERWISE.test(message);
}
