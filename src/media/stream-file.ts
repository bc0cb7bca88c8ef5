/** A range of an open file as a web stream. */
import { Buffer } from 'node:buffer';
import type { FileHandle } from 'node:fs/promises';
import type { ByteRange } from './store.ts';

const PIECE_BYTES = 128 * 1024;

/** Reads only as fast as the stream is read, and closes the file at the end, on an error, or when the stream is cancelled. */
export function streamFile(file: FileHandle, { start, end }: ByteRange): ReadableStream<Uint8Array> {
  let position = start;
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const wanted = Math.min(PIECE_BYTES, end - position + 1);
          const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(Math.max(0, wanted)), 0, wanted, position);
          position += bytesRead;
          if (bytesRead > 0) controller.enqueue(buffer.subarray(0, bytesRead));
          if (bytesRead > 0 && position <= end) return;
          await file.close();
          controller.close();
        } catch (error) {
          await file.close().catch(() => {});
          throw error;
        }
      },
      cancel: () => file.close(),
    },
    { highWaterMark: 0 },
  );
}
