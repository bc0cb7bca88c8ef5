import { base64 } from '../http/base64.ts';
import { uuid } from '../http/uuid.ts';
import type { Device } from '../types.ts';
import type { PersistentStore } from './persistent-store.ts';

/** A device id that is made once and stored, with a token that a development server's simulated DeviceCheck accepts. */
export async function storedDevice(store: PersistentStore): Promise<Device> {
  const id = (await store.get<string>('device')) ?? uuid();
  await store.set('device', id);
  return { device_id: id, device_token: base64(`device:${id}`) };
}
