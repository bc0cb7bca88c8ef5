import { uuid } from '../http/uuid.ts';
import type { Device } from '../types.ts';
import type { Vault } from './persistent-store.ts';

/** A device id made once, with what a development server's simulated DeviceCheck takes for a device's token. */
export async function storedDevice(vault: Vault): Promise<Device> {
  const id = (await vault.recall<string>('device')) ?? uuid();
  await vault.remember('device', id);
  return { device_id: id, device_token: btoa(`device:${id}`) };
}
