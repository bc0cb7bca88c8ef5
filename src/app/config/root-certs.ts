/** Reads the root certificates that replace Apple's own, from a file or a folder, in DER or PEM. */
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';

/** `certificates`: in DER. */
export type RootCerts = { path: string; certificates: readonly Uint8Array[] };

/** Of a folder only these are read: there may be a README beside them. */
const CERTIFICATE_FILE = /\.(?:cer|cert|crt|der|pem)$/i;
const PEM = /-----BEGIN CERTIFICATE-----([^-]+)-----END CERTIFICATE-----/g;

class Unusable extends Error {}

/** A path, which is read at once. Every fault is a complaint that names the file. */
export function rootCerts() {
  return z.string().transform(async (path, ctx): Promise<RootCerts> => {
    try {
      return { path, certificates: await certificatesAt(path) };
    } catch (error) {
      const problem = error instanceof Unusable ? error.message : 'cannot be read: it must be a file or a folder';
      ctx.addIssue({ code: 'custom', message: problem });
      return z.NEVER;
    }
  });
}

async function certificatesAt(path: string): Promise<Uint8Array[]> {
  if (!(await stat(path)).isDirectory()) return certificatesIn(await readFile(path), 'the file');
  const found: Uint8Array[] = [];
  for (const name of (await readdir(path)).filter((each) => CERTIFICATE_FILE.test(each)).sort()) {
    const file = join(path, name);
    if ((await stat(file)).isFile()) found.push(...(await certificatesIn(await readFile(file), name)));
  }
  if (found.length === 0)
    throw new Unusable('has no certificate in it: files that end in .cer, .cert, .crt, .der or .pem');
  return found;
}

async function certificatesIn(bytes: Uint8Array, name: string): Promise<Uint8Array[]> {
  const text = new TextDecoder().decode(bytes);
  const blocks = [...text.matchAll(PEM)].map(([, block = '']) => fromBase64(block));
  const found = text.includes('-----BEGIN') ? blocks : [bytes];
  const areCertificates = await Promise.all(found.map(isCertificate));
  if (found.length === 0 || areCertificates.includes(false))
    throw new Unusable(`cannot be used: ${name} is no certificate in DER or PEM`);
  return found;
}

/** Nothing if it is no base64. */
function fromBase64(block: string): Uint8Array {
  try {
    return Uint8Array.from(atob(block), (character) => character.charCodeAt(0));
  } catch {
    return new Uint8Array();
  }
}

/** The parser is loaded for it alone: hardly any server has roots of its own. */
async function isCertificate(der: Uint8Array): Promise<boolean> {
  const { parseCertificate } = await import('../../apple/app-store/certificate.ts');
  try {
    return parseCertificate(der).sha256 !== '';
  } catch {
    return false;
  }
}
