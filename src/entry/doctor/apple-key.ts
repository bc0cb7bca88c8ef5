/** A key of Apple's that is refused: Apple does not say which of its names is the wrong one. */
import { type Finding, wrong } from './finding.ts';

export type RefusedKey = {
  keyId: string;
  key: string;
  /** Whose key it is, and for which app. */
  owners: string[];
  service: string;
  cause: string;
};

/** A finding for each variable that may be the wrong one. */
export function refusedAppleKey({ keyId, key, owners, service, cause }: RefusedKey): Finding[] {
  const names = [keyId, key, ...owners];
  const together = `${names.slice(0, -1).join(', ')} and ${names.at(-1)} are refused together by ${service} (${cause})`;
  return [
    wrong(key, `may be wrong: ${together}`, `Paste the .p8 file of a key that is made for ${service} and not revoked.`),
    wrong(
      keyId,
      `may be wrong: ${together}`,
      'Set the id that Apple shows beside that key; it is in the file’s name as well.',
    ),
    ...owners.map((owner) => wrong(owner, `may be wrong: ${together}`, 'Set the one that the key belongs to.')),
  ];
}
