/** The errors of the App Store Server API, with Apple's numbers and sentences. */

/**
 * Apple publishes no number for the percentages that it refuses: they are general bad requests here. A body that is malformed
 * has no number there either.
 */
const ERRORS = {
  GENERAL_BAD_REQUEST: [4000000, 'Bad request.'],
  INVALID_REQUEST_REVISION: [4000005, 'Invalid request revision.'],
  INVALID_TRANSACTION_ID: [4000006, 'Invalid transaction id.'],
  START_DATE_TOO_FAR_IN_PAST: [4000012, 'Invalid request. The start date is earlier than the allowed start date.'],
  START_DATE_AFTER_END_DATE: [
    4000013,
    'Invalid request. The end date precedes the start date or the dates are the same.',
  ],
  INVALID_PAGINATION_TOKEN: [4000014, 'Invalid request. The pagination token is invalid.'],
  INVALID_START_DATE: [
    4000015,
    'Invalid request. The start date is not a timestamp value represented in milliseconds.',
  ],
  INVALID_END_DATE: [4000016, 'Invalid request. The end date is not a timestamp value represented in milliseconds.'],
  INVALID_NOTIFICATION_TYPE: [4000018, 'Invalid request. The notification type or subtype is invalid.'],
  MULTIPLE_FILTERS_SUPPLIED: [
    4000019,
    'Invalid request. Supply either a transaction id or a notification type, but not both.',
  ],
  INVALID_TEST_NOTIFICATION_TOKEN: [4000020, 'Invalid request. The test notification token is invalid.'],
  INVALID_SORT: [4000021, 'Invalid request. The sort parameter is invalid.'],
  INVALID_PRODUCT_TYPE: [4000022, 'Invalid request. The product type parameter is invalid.'],
  INVALID_PRODUCT_ID: [4000023, 'Invalid request. The product id parameter is invalid.'],
  INVALID_IN_APP_OWNERSHIP_TYPE: [4000026, 'Invalid request. The in-app ownership type parameter is invalid.'],
  INVALID_REVOKED: [4000030, 'Invalid request. The revoked parameter is invalid.'],
  INVALID_CUSTOMER_CONSENTED: [
    4000035,
    'Invalid request. The customer consented field is required and must indicate the customer consented.',
  ],
  INVALID_DELIVERY_STATUS: [4000036, 'Invalid request. The delivery status field is invalid.'],
  INVALID_SAMPLE_CONTENT_PROVIDED: [4000041, 'Invalid request. The sample content provided field is invalid.'],
  INVALID_REFUND_PREFERENCE: [4000044, 'Invalid request. The refund preference field is invalid.'],
  FAMILY_TRANSACTION_NOT_SUPPORTED: [
    4000185,
    "Invalid request. Family Sharing transactions aren't supported by this endpoint.",
  ],
  SERVER_NOTIFICATION_URL_NOT_FOUND: [
    4040007,
    'No App Store Server Notification URL found for provided app. Check that a URL is configured in App Store Connect for this environment.',
  ],
  TEST_NOTIFICATION_NOT_FOUND: [
    4040008,
    'Either the test notification token is expired or the notification and status are not yet available.',
  ],
  TRANSACTION_ID_NOT_FOUND: [4040010, 'Transaction id not found.'],
} as const satisfies Record<string, readonly [number, string]>;

export type ErrorName = keyof typeof ERRORS;

/** An answer that is no success: `errorCode` begins with its HTTP status. */
export class AppStoreError extends Error {
  readonly errorCode: number;

  constructor(name: ErrorName) {
    const [errorCode, message] = ERRORS[name];
    super(message);
    this.errorCode = errorCode;
  }

  response(): Response {
    const { errorCode, message: errorMessage } = this;
    return Response.json({ errorCode, errorMessage }, { status: Math.floor(errorCode / 10_000) });
  }
}
