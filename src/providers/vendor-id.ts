/** Vendors' ids are UUIDs; whatever else they become, this much may be part of an address. */
const VENDOR_ID = /^[\w-]{1,128}$/;

/** Whether it can be the id of a vendor's job, and written into an address as it is. */
export function isVendorId(value: unknown): value is string {
  return typeof value === 'string' && VENDOR_ID.test(value);
}
