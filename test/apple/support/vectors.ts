/** Apple's published mock data (see `test/vectors/apple`), each with the outcome that it must have. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Case, ChainCase } from './case.ts';

const FOLDER = join(import.meta.dirname, '../../vectors/apple');

export const vectorText = (name: string): string => readFileSync(join(FOLDER, name), 'utf8').trim();
export const vectorDer = (name: string): Buffer => readFileSync(join(FOLDER, 'certs', `${name}.der`));
export const vectorModel = (name: string): Record<string, unknown> =>
  JSON.parse(readFileSync(join(FOLDER, 'models', `${name}.json`), 'utf8'));

/** What the mock data was made for. */
export const MOCK = {
  roots: [vectorDer('testCA').toString('base64')],
  environment: 'Sandbox' as const,
  bundleId: 'com.example',
  appId: 1234,
  nowMs: Date.parse('2026-06-13T12:00:00Z'),
  isOnline: false,
  ocspTimeoutMs: 5_000,
};
const G3 = [vectorDer('chain/apple-root-ca-g3').toString('base64')];

type Row = [file: string, kind: Case['kind'], expected: string, settings?: Partial<typeof MOCK> | object];

const TABLE: Row[] = [
  ['mock_signed_data/testNotification', 'notification', 'valid'],
  ['mock_signed_data/testNotification', 'notification', 'INVALID_ENVIRONMENT', { environment: 'Production' }],
  ['mock_signed_data/testNotification', 'notification', 'INVALID_APP_IDENTIFIER', { bundleId: 'com.example.x' }],
  ['mock_signed_data/testNotification', 'notification', 'valid', { appId: 4321 }],
  ['mock_signed_data/testNotification', 'transaction', 'INVALID_APP_IDENTIFIER'],
  ['mock_signed_data/wrongBundleId', 'notification', 'INVALID_APP_IDENTIFIER'],
  ['mock_signed_data/missingX5CHeaderClaim', 'notification', 'INVALID_CERTIFICATE'],
  ['mock_signed_data/transactionInfo', 'transaction', 'valid'],
  ['mock_signed_data/transactionInfo', 'transaction', 'INVALID_APP_IDENTIFIER', { bundleId: 'com.example.x' }],
  ['mock_signed_data/transactionInfo', 'transaction', 'INVALID_ENVIRONMENT', { environment: 'Production' }],
  ['mock_signed_data/transactionInfo', 'notification', 'INVALID_APP_IDENTIFIER'],
  ['mock_signed_data/renewalInfo', 'transaction', 'INVALID_APP_IDENTIFIER'],
  ['mock_signed_data/renewalInfo', 'notification', 'INVALID_APP_IDENTIFIER'],
  ['xcode/xcode-signed-transaction', 'transaction', 'INVALID_CERTIFICATE'],
  ['xcode/xcode-signed-transaction', 'transaction', 'INVALID_CERTIFICATE', { environment: 'Production' }],
  ['xcode/xcode-signed-renewal-info', 'transaction', 'INVALID_CERTIFICATE'],
  ['mock_signed_data/testNotification', 'notification', 'VERIFICATION_FAILURE', { roots: G3 }],
  ['mock_signed_data/wrongBundleId', 'notification', 'VERIFICATION_FAILURE', { roots: G3 }],
  ['mock_signed_data/transactionInfo', 'transaction', 'VERIFICATION_FAILURE', { roots: G3 }],
  ['mock_signed_data/renewalInfo', 'transaction', 'VERIFICATION_FAILURE', { roots: G3 }],
  ['mock_signed_data/testNotification', 'notification', 'INVALID_CERTIFICATE', { isOnline: true }],
  ['mock_signed_data/transactionInfo', 'transaction', 'INVALID_CERTIFICATE', { isOnline: true }],
  ['a.b.c', 'transaction', 'VERIFICATION_FAILURE'],
  ['a.b.c.d', 'notification', 'VERIFICATION_FAILURE'],
];

/** Of all signed data: the published ones, and two texts that are none. */
export function vectorCases(): Case[] {
  return TABLE.map(([file, kind, expected, settings = {}]) => ({
    ...MOCK,
    ...settings,
    name: `${file} as a ${kind} ${JSON.stringify({ ...settings, roots: 'roots' in settings ? 'G3' : 'testCA' })}`,
    kind,
    jws: file.startsWith('a.') ? file : vectorText(file),
    expected,
  }));
}

type ChainRow = [leaf: string, intermediate: string, roots: string[], expected: string, at?: string];

const CHAINS: ChainRow[] = [
  ['leaf', 'intermediate', MOCK.roots, 'valid'],
  ['leaf', 'intermediate', [], 'VERIFICATION_FAILURE'],
  ['leaf', 'intermediate', G3, 'VERIFICATION_FAILURE'],
  ['leaf-for-intermediate-invalid-oid', 'intermediate-invalid-oid', MOCK.roots, 'VERIFICATION_FAILURE'],
  ['leaf-invalid-oid', 'intermediate', MOCK.roots, 'VERIFICATION_FAILURE'],
  ['leaf', 'intermediate', MOCK.roots, 'INVALID_CERTIFICATE', '2042-10-20T00:00:00Z'],
  ['apple-receipt-signing', 'apple-wwdr-g6', G3, 'valid'],
  ['apple-receipt-signing', 'apple-wwdr-g6', MOCK.roots, 'VERIFICATION_FAILURE'],
  ['apple-receipt-signing', 'apple-wwdr-g6', G3, 'INVALID_CERTIFICATE', '2027-10-14T00:00:00Z'],
];

/** Of all published chains. */
export function chainCases(): ChainCase[] {
  return CHAINS.map(([leaf, intermediate, roots, expected, at = '2025-10-20T00:00:00Z']) => ({
    name: `${leaf} by ${intermediate}, ${roots.length} roots, at ${at}`,
    x5c: [leaf, intermediate, 'root'].map((name) => vectorDer(`chain/${name}`).toString('base64')),
    ...{ roots, expected, nowMs: Date.parse(at) },
  }));
}
