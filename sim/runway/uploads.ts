/** Runway's ephemeral uploads: the forms that authorise them, and the storage that the files are sent to. */
import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { openRecords } from '../records.ts';
import { hashOf } from './identity.ts';

const uploadShape = z.object({
  id: z.uuid(),
  owner: z.string(),
  fileName: z.string(),
  createdAtMs: z.number(),
  /** Null until the file has arrived. */
  bytes: z.int().nullable(),
  isImage: z.boolean(),
});
export type Upload = z.infer<typeof uploadShape>;

/** Runway documents no host for them; this one is made up. */
export const STORAGE_HOST = 'uploads.runway.example';
const KEPT_MS = 24 * 3_600_000;
const BYTES = { min: 512, max: 200 * 1024 * 1024 };
const IMAGES = /^(?:\x89PNG|\xff\xd8\xff|RIFF[\s\S]{4}WEBP)/;

export async function openUploads(folder: string, signingKey: string, nowMs: () => number) {
  const records = await openRecords<Upload>({
    ...{ folder, shape: uploadShape },
    idOf: ({ id }) => id,
    atMsOf: ({ createdAtMs }) => createdAtMs,
  });
  await records.deleteBefore(nowMs() - KEPT_MS);
  const signatureOf = (id: string) => hashOf(`${signingKey}/${id}`);

  return {
    list: records.list,
    /** Where to send which form, and the URI of the file afterwards. */
    async open(owner: string, fileName: string, origin: string) {
      const id = randomUUID();
      await records.write({ id, owner, fileName, createdAtMs: nowMs(), bytes: null, isImage: false });
      const host = new URL(origin).host === 'api.dev.runwayml.com' ? `https://${STORAGE_HOST}` : origin;
      return {
        uploadUrl: `${host}/ephemeral`,
        fields: { key: id, 'x-amz-signature': signatureOf(id) },
        runwayUri: `runway://${id}`,
      };
    },
    /** Stores the file of a form. Returns the status that the storage answers with. */
    async store(form: FormData): Promise<204 | 400 | 403> {
      const id = String(form.get('key'));
      const file = form.get('file');
      if (form.get('x-amz-signature') !== signatureOf(id) || !(await records.read(id))) return 403;
      if (!(file instanceof File) || file.size < BYTES.min || file.size > BYTES.max) return 400;
      const head = Buffer.from(await file.slice(0, 16).arrayBuffer()).toString('latin1');
      await records.change(id, { bytes: file.size, isImage: IMAGES.test(head) });
      return 204;
    },
    /** The upload that `uri` names, if the owner is the caller, the file has arrived and it is not too old. */
    async find(uri: string, owner: string): Promise<Upload | undefined> {
      const id = z.uuid().safeParse(uri.slice('runway://'.length)).data;
      const upload = id === undefined ? undefined : await records.read(id);
      const isThere = upload?.owner === owner && upload.bytes !== null && nowMs() - upload.createdAtMs < KEPT_MS;
      return isThere ? upload : undefined;
    },
  };
}

export type Uploads = Awaited<ReturnType<typeof openUploads>>;
