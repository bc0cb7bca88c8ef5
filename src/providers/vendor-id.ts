/** Vendors' ids are UUIDs. Other ids are accepted too, if they need no encoding in a URL. */
const VENDOR_ID = /^[\w-]{1,128}$/;

/** Whether it can be the id of a vendor's job, and be written into a URL without encoding. */
export function isVendorId(value: unknown): value is string {
  return typeof value === 'string' && VENDOR_ID.test(value);
}
