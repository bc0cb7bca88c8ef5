/** Generated from docs/openapi.json by `npm run generate`: the shapes on the wire. */

export interface paths {
  '/functions/v1/device-check': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    /**
     * Onboard a device
     * @description The first call of an app. Returns the account of this device, which is created if there is none, and a new session. The initial credits are granted once per physical device, which Apple’s DeviceCheck verifies. A device that had no grant gets a 403 for the id of an account that had one: it is another device. While Apple cannot be reached, a known device gets a 503; its refresh token still works.
     */
    post: operations['deviceCheck'];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/functions/v1/get-user-profile': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /**
     * Get the caller’s account
     * @description Returns the account of the access token. `device_id` and `apple_sub` are visible only to the account’s owner.
     */
    get: operations['getUserProfile'];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/functions/v1/update-user-profile': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    /**
     * Update the caller’s language or theme (POST)
     * @description Updates the given fields and returns the account. Fields that are left out do not change. The language applies to error messages and events.
     */
    post: operations['updateUserProfileByPost'];
    delete?: never;
    options?: never;
    head?: never;
    /**
     * Update the caller’s language or theme
     * @description Updates the given fields and returns the account. Fields that are left out do not change. The language applies to error messages and events.
     */
    patch: operations['updateUserProfile'];
    trace?: never;
  };
  '/auth/v1/signup': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    /**
     * Create an anonymous account
     * @description Creates an account of which no device is known, without initial credits, and opens a session. Apps that have DeviceCheck call `device-check` instead. Counts against the onboarding limit of the IP address.
     */
    post: operations['signUpAnonymously'];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/auth/v1/token': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    /**
     * Refresh a session, or sign in with Apple
     * @description With `grant_type=refresh_token`, exchanges a refresh token for a new access token and a new refresh token. Call it before the access token expires, or after a 401. A refresh token can be exchanged once. If the response was lost, the same token returns the same new refresh token until that one is used.
     *
     *     With `grant_type=id_token`, opens a session for the Apple user of an identity token; with `link_identity` and a guest’s bearer token, the guest’s account becomes that person’s, if they have none yet. Errors have the format of the Supabase clients: `{code, message}` with the header `X-Supabase-Api-Version`, `{code, error_code, msg}` without it.
     */
    post: operations['createSession'];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/auth/v1/.well-known/jwks.json': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /**
     * Get the public signing keys
     * @description Returns the public keys that verify access tokens, for a service that verifies them itself. Choose the key by the `kid` in the token’s header.
     */
    get: operations['getSigningKeys'];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/auth/v1/user': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /**
     * Get the account as the Supabase clients see it
     * @description Returns the account of the access token, with its Apple identity and what the app keeps with it.
     */
    get: operations['getAuthUser'];
    /**
     * Keep data of the app with the account
     * @description Merges `data` into `user_metadata`; null removes a field. At most 4 KB in all, since it is part of every access token. E-mail address, phone number and password cannot be set here.
     */
    put: operations['updateAuthUser'];
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/auth/v1/logout': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    /**
     * Sign out
     * @description Ends sessions at once: all of the account (`global`, the default), this one (`local`), or all others (`others`). Their access tokens are refused from then on.
     */
    post: operations['signOut'];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/auth/v1/health': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /**
     * Whether the auth API is up
     * @description Answers as Supabase Auth does. `/readyz` says more.
     */
    get: operations['getAuthHealth'];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/auth/v1/settings': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /**
     * How people can sign in here
     * @description Answers as Supabase Auth does: which ways to sign in are switched on.
     */
    get: operations['getAuthSettings'];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/functions/v1/merge-guest-user': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    /**
     * Keep a guest’s account with Sign in with Apple
     * @description The caller is the guest; the identity token proves the Apple user. If that person has no account yet, the guest’s account becomes theirs. Otherwise credits, videos, running jobs, uploads and sessions move to the account that they have, in one step, and the guest’s id and tokens address that account from then on. A repeat changes nothing.
     */
    post: operations['mergeGuestUser'];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/functions/v1/get-sessions': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /**
     * List the account’s open sessions
     * @description Returns where the account is signed in, the session that was used last first.
     */
    get: operations['getSessions'];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/functions/v1/revoke-session': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    /**
     * End a session
     * @description Ends one session of the account at once: its tokens are refused, and its event streams end. Safe to repeat.
     */
    post: operations['revokeSession'];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/functions/v1/export-account': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /**
     * Export everything the account has
     * @description Returns one JSON document with the profile, all jobs, transactions (also those of guests that were merged into the account), purchases, uploads and sessions. It is streamed: a document that ends without its last brace was cut off. An account has one export at a time: a second one is a 429.
     */
    get: operations['exportAccount'];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/functions/v1/delete-account': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    /**
     * Delete the account
     * @description Deletes the account for good: sessions, videos, uploads, prompts, and what names the person. Running jobs are cancelled. Remaining credits are lost. Apple’s tokens are revoked. Afterwards every call with this account’s tokens is a 401.
     */
    post: operations['deleteAccount'];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/functions/v1/apple-account-notifications': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    /**
     * Receive Apple’s notifications about accounts
     * @description The address of Sign in with Apple’s server-to-server notifications. Consent that is withdrawn ends the account’s sessions, an Apple account that is deleted deletes the account, and changes of e-mail forwarding are kept. Each has an effect once.
     */
    post: operations['appleAccountNotifications'];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/functions/v1/get-user-credits': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /**
     * Get the balance
     * @description Returns the caller’s balance, never from a cache. `job-events` reports when it changes.
     */
    get: operations['getUserCredits'];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/functions/v1/get-credit-history': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /**
     * List the changes of the balance
     * @description Returns the caller’s ledger, newest first. Entries are only ever added. Follow `next_cursor`: every page costs the same, however far back it is.
     */
    get: operations['getCreditHistory'];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/functions/v1/admin-explain-balance': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /**
     * Explain a balance
     * @description Shows the lots that an account’s credits lie in, which generation took how many of them, and whether each rule of the money holds for the account. Of a lot, `amount` and its movements add up to `remaining`; what remains in all lots is the balance, or nothing while that is a debt.
     */
    get: operations['adminExplainBalance'];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/functions/v1/redeem-code': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    /**
     * Redeem a code for credits
     * @description Adds the credits of a code, such as one from a campaign or from support. An account can use a code once: the same code again adds 0 credits, so an app may simply repeat a request that got no response. A code that is unknown, expired or used up returns the same 400, whichever it is. Only a few of those are answered per hour, for an account and for an IP address: beyond them, 429. `RateLimit` shows how many are left. With an `Idempotency-Key`, a repeat returns the first response.
     */
    post: operations['redeemCode'];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/functions/v1/get-models': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /**
     * List the available models
     * @description Returns the models with their prices and settings. Build the settings form from `settings_schema` and the price from `pricing`, so that the app needs no built-in knowledge of models. Needs no token. Cache the response, and send its `ETag` to check whether it is still current.
     */
    get: operations['getModels'];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/functions/v1/get-products': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /**
     * List the products on sale
     * @description Returns the products that can be bought, the smallest first. Ask StoreKit for the prices of these ids: the App Store sets them. Where the server has a web shop, `web_price` is the price there, and `create-checkout` sells the product. Only the server decides how many credits a product is.
     */
    get: operations['getProducts'];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/functions/v1/generate-video': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    /**
     * Pay for and start a video
     * @description Charges the price, starts a job and returns at once; the video is made in the background. Create an `Idempotency-Key` (UUID) for each new request and keep it until you get a response. A repeat with the same key and body returns the first response, marked by `X-Idempotent-Replay`, and is never charged again. Only a charge uses up a key, which is kept for 24 hours. A later failure is reported as the job’s `error_code`, and the credits are refunded.
     */
    post: operations['generateVideo'];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/functions/v1/get-video-status': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /**
     * Get the status of a job
     * @description Returns a job. It only reads the server’s own records, so an app may call it as often as it likes. `completed` means that the video is stored on this server and plays. `failed` comes with the reason, and the credits are refunded. Another user’s job returns the same 404 as an unknown job.
     */
    get: operations['getVideoStatus'];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/functions/v1/check-video-job-status': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /**
     * Get the status of a job (the same as get-video-status)
     * @description Returns a job. It only reads the server’s own records, so an app may call it as often as it likes. `completed` means that the video is stored on this server and plays. `failed` comes with the reason, and the credits are refunded. Another user’s job returns the same 404 as an unknown job.
     */
    get: operations['checkVideoJobStatus'];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/functions/v1/get-video-jobs': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /**
     * List the caller’s jobs
     * @description Returns the caller’s jobs, newest first. Follow `next_cursor`: every page costs the same, however far back it is, and no job is returned twice when new jobs arrive. `offset` is for small lists, and is ignored if there is a `cursor`.
     */
    get: operations['getVideoJobs'];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/functions/v1/cancel-video-job': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    /**
     * Cancel a job and refund it
     * @description Cancels a job that has not ended: it becomes `failed` with `ERR_5004`. A job that has ended, or whose video is already made and being delivered, does not change and returns a 409. A provider that has begun bills the video all the same, so only a few such refunds are given per hour: beyond them, 429, and the job goes on. With an `Idempotency-Key`, a repeat returns the first response instead.
     */
    post: operations['cancelVideoJob'];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/functions/v1/delete-video-job': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    /**
     * Delete a finished job and its files
     * @description Deletes a job that has ended. Its media URLs stop working at once. A job that has not ended returns a 409: cancel it first. Deleting a job again succeeds. Deleting does not give back slots of the rate limit.
     */
    post: operations['deleteVideoJob'];
    /**
     * Delete a finished job and its files (DELETE)
     * @description Deletes a job that has ended. Its media URLs stop working at once. A job that has not ended returns a 409: cancel it first. Deleting a job again succeeds. Deleting does not give back slots of the rate limit. Name the job in the query or in the body: some proxies drop the body of a DELETE.
     */
    delete: operations['deleteVideoJobByDelete'];
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/functions/v1/share-video': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    /**
     * Share a video by a link
     * @description Gives a completed video of the caller a link that anyone can open, and that no one can guess. A repeat returns the same link, and sets anew whether its page shows the prompt. The link ends with `unshare-video`, the video or the account; a video that is shared again gets another one.
     */
    post: operations['shareVideo'];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/functions/v1/unshare-video': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    /**
     * End a video’s link
     * @description Ends the link at once. Ending it again succeeds.
     */
    post: operations['unshareVideo'];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/functions/v1/report-video': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    /**
     * Report a video to the operator
     * @description Stores what is wrong with a video: one of the caller’s own, by `job_id`, or a shared one, by the `share_token` at the end of its URL; exactly one of the two. A repeat about the same video changes nothing and succeeds. Only so many reports an hour are taken.
     */
    post: operations['reportVideo'];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/functions/v1/update-credits': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    /**
     * Credit an App Store purchase
     * @description Credits a purchase to the caller: by the transaction’s id, or by the transaction as StoreKit 2 signed it; exactly one of the two. The App Store’s signature, the app, the environment, the product and the owner (`appAccountToken`) are checked. A purchase is credited once, for ever; a repeat by its owner is a success with `credits_added: 0`. Finish the transaction in StoreKit after a 200, after an `ERR_4012`, and after an `ERR_4011` unless its reason is `product` or `unknown`. Otherwise report it again later.
     */
    post: operations['updateCredits'];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/functions/v1/apple-server-notifications': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    /**
     * Receive the App Store’s notifications
     * @description The address of App Store Server Notifications, version 2. A notification is verified, recorded once and answered; the worker then credits purchases, takes back what was refunded, gives back what a reversed refund had taken, and answers consumption requests. Notifications may arrive in any order and more than once.
     */
    post: operations['appleServerNotifications'];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/functions/v1/create-checkout': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    /**
     * Buy credits on the web
     * @description Opens a page of Stripe’s at which the product is paid; send the user there. The credits arrive a moment after the payment, as a `credits` event of `job-events`. The price is this server’s own. With an `Idempotency-Key`, a repeat within 24 hours returns the same page. Where there is no web shop: 501.
     */
    post: operations['createCheckout'];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/functions/v1/stripe-webhook': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    /**
     * Receive an event of Stripe
     * @description The URL of the webhook endpoint at Stripe. An event is verified by `Stripe-Signature` over the raw body, recorded once and processed in the background. Payments give credits; after refunds and disputes Stripe is asked what has gone back, and as much is taken from the credits, or given back. Events about anything else have no effect.
     */
    post: operations['stripeWebhook'];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/storage/v1/object/list/{bucket}': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    /**
     * List a folder
     * @description Returns the files and folders in a folder, one level deep. Folders have no `id`.
     */
    post: operations['listObjects'];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/storage/v1/object/info/{bucket}/{path}': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /**
     * Get the size and type of a file
     * @description Returns information about a file, without the file itself.
     */
    get: operations['getObjectInfo'];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/storage/v1/object/authenticated/{bucket}/{path}': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /**
     * Download a file of the caller’s own (longer URL)
     * @description The same as `downloadObject`, under the URL that some storage clients use.
     */
    get: operations['downloadAuthenticated'];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/storage/v1/object/{bucket}/{path}': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /**
     * Download a file of the caller’s own
     * @description Returns a file from any bucket. Supports range requests. Another user’s file returns the same 404 as an unknown file.
     */
    get: operations['downloadObject'];
    /**
     * Upload an image, replacing an existing one
     * @description Stores an image under this path. The image must be a JPEG, PNG or WebP without animation, whose pixels are all there, of at most 10 MB (10,485,760 bytes) and 64 to 10,000 pixels per side. It is judged by decoding it; the `Content-Type` is ignored. An account stores at most 200 images and 500 MB, a guest whose device was not verified 50 MB. Of more than 3 uploads at once the others wait, and get a 429 after 15 seconds. Readers get either the old or the new image, never a part of one.
     */
    put: operations['replaceObject'];
    /**
     * Upload an image into the caller’s folder
     * @description Stores an image, whose path can then be the `image_url` of `generate-video`. The image must be a JPEG, PNG or WebP without animation, whose pixels are all there, of at most 10 MB (10,485,760 bytes) and 64 to 10,000 pixels per side. It is judged by decoding it; the `Content-Type` is ignored. An account stores at most 200 images and 500 MB, a guest whose device was not verified 50 MB. Of more than 3 uploads at once the others wait, and get a 429 after 15 seconds. If the object exists, it is kept and a 409 is returned, unless `x-upsert` is `true`. The Supabase storage clients work with these routes unchanged, and get errors in their own format.
     */
    post: operations['uploadObject'];
    /**
     * Delete an image
     * @description Deletes an image in `user_uploads`. To delete a video, use `delete-video-job`.
     */
    delete: operations['deleteObject'];
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/storage/v1/object/{bucket}': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    post?: never;
    /**
     * Delete several images
     * @description Deletes images in `user_uploads` and returns those that existed. A job that has not sent its image to its provider yet then fails and is refunded.
     */
    delete: operations['deleteObjects'];
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/storage/v1/object/sign/{bucket}/{path}': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /**
     * Get a file by its signed URL
     * @description Returns the file. Do not build these URLs yourself: `video_url` and `thumbnail_url` are such URLs, newly signed on every read, and `signObject` creates them for uploads. They need no access token, support range requests, and stop working when they expire or when the job or the upload is deleted.
     */
    get: operations['getMedia'];
    put?: never;
    /**
     * Create a signed URL
     * @description Returns a URL for one of the caller’s own files, valid for a year at most.
     */
    post: operations['signObject'];
    delete?: never;
    options?: never;
    /**
     * Get the headers of a file by its signed URL
     * @description Returns the headers of the GET, such as the file’s size and date, without the file.
     */
    head: operations['headMedia'];
    patch?: never;
    trace?: never;
  };
  '/storage/v1/object/sign/{bucket}': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    /**
     * Create several signed URLs
     * @description Returns for each path its URL, or the reason why there is none.
     */
    post: operations['signObjects'];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/storage/v1/object/upload/sign/{bucket}/{path}': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    /**
     * Upload an image to a signed upload URL
     * @description Stores an image without an access token. The rules for images are those of `uploadObject`; the call counts for the account that made the URL.
     */
    put: operations['uploadToSignedAddress'];
    /**
     * Create a signed upload URL
     * @description Returns a URL to which an image can be uploaded without an access token. It is valid for two hours, for this path only.
     */
    post: operations['signUpload'];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/functions/v1/webhook-delivery': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    /**
     * Receive an event of a provider
     * @description Receives webhooks of providers. Webhooks of fal (`?provider=fal&job=<job_id>`) are verified by fal’s Ed25519
     *     scheme. Any other sender signs with `WEBHOOK_SECRET`: `X-Webhook-Signature` is the lower-case hex HMAC-SHA256 of the raw body
     *     or, if `X-Webhook-Timestamp` (unix seconds, within five minutes) is sent, of `<timestamp>.<raw body>`.
     *
     *     An event is only a hint. It is recorded once and makes the worker poll the provider at once; what it says about the job is not
     *     used. An event about an unknown job gets the same response.
     */
    post: operations['deliverWebhook'];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/functions/v1/job-events': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /**
     * Stream events of the caller’s jobs and balance
     * @description Returns server-sent events, each a `JobEvent`: `queued`, `processing`, `completed`, `failed`, and `credits` when the balance changes. With `Last-Event-ID` the stream resumes after that event, without a gap or a repeat, for up to a day. Without it, or when the account has no such event any more, the stream begins with the unfinished jobs. A comment every 15 seconds keeps the connection open. The stream ends when the access token expires, at once when the session is closed or the account is banned or deleted, and when the account opens more than five streams: the oldest ends. Browsers’ own EventSource cannot send a token: read the stream with `fetch`.
     */
    get: operations['jobEvents'];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/functions/v1/register-push-token': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    /**
     * Get pushes on this device
     * @description Registers the device for pushes about the caller’s videos: that one is ready, or that one has failed and its credits are back, in the account’s language. Call it each time the app starts and after each sign-in. A device gets the pushes of one account: registering it under another moves it. It is forgotten when the session that registered it ends, when Apple says that the app is gone from it, and beyond the twenty devices of an account that were registered last. 501 where the server has no key for pushes.
     */
    post: operations['registerPushToken'];
    /**
     * Get no more pushes on this device
     * @description Takes the same body. Also succeeds for a device that is not registered, or not for the caller.
     */
    delete: operations['unregisterPushToken'];
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/functions/v1/admin-open-session': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    /**
     * Sign in by a one-time link
     * @description Uses up a link that `npm run admin -- link <email>` has made, within its 15 minutes, and opens a session of an hour. The link itself leads to a page: to open it, as mail scanners do, uses up nothing.
     */
    post: operations['adminOpenSession'];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/functions/v1/admin-session': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /**
     * Get the administrator’s own session
     * @description Says who is signed in, and until when.
     */
    get: operations['adminSession'];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/functions/v1/admin-end-session': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    /**
     * Sign out
     * @description Ends the session of the access token at once.
     */
    post: operations['adminEndSession'];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/functions/v1/admin-refund-credits': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    /**
     * Give an account credits back
     * @description Adds credits with the reason `admin_refund`. `credits_total` stays.
     */
    post: operations['adminRefundCredits'];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/functions/v1/admin-adjust-credits': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    /**
     * Correct a balance
     * @description Adds or takes credits with the reason `admin_adjustment`. `credits_total` stays. What would take the balance below zero is a 409, with the balance in `credits_remaining`.
     */
    post: operations['adminAdjustCredits'];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/functions/v1/admin-ban-user': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    /**
     * Ban an account
     * @description From then on every call of the account is a 403 with `ERR_4013`, also with tokens that it has already, and its event streams end. Running generations go on. The id of a merged guest bans the account that it is part of. A repeat changes nothing.
     */
    post: operations['adminBanUser'];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/functions/v1/admin-unban-user': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    /**
     * Lift the ban of an account
     * @description The account’s sessions go on where they have not ended. A repeat changes nothing.
     */
    post: operations['adminUnbanUser'];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/functions/v1/admin-cancel-job': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    /**
     * Cancel a running generation
     * @description The job fails with `ERR_5004`, and its owner gets the credits back, without the limit of a user’s own cancellations. It is cancelled at the provider a moment later; the provider may bill it all the same. A job that has ended is a 409.
     */
    post: operations['adminCancelJob'];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/functions/v1/admin-toggle-model': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    /**
     * Put a model on offer, or take it off
     * @description Takes effect with the next call of `get-models` and `generate-video`. Generations that were begun go on.
     */
    post: operations['adminToggleModel'];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/functions/v1/admin-update-model': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    /**
     * Change a model
     * @description Changes what is given and leaves the rest. A new price is that of later generations: those that were begun keep theirs, and so do their refunds. A `settings_schema` replaces the whole one.
     */
    post: operations['adminUpdateModel'];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/functions/v1/admin-create-code': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    /**
     * Create a code that gives credits
     * @description Each account can redeem it once, by `redeem-code`. A code that there is already, in whatever letters, is a 409.
     */
    post: operations['adminCreateCode'];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/functions/v1/admin-update-product': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    /**
     * Change a product
     * @description Changes what is given and leaves the rest. Purchases that are credited from then on add the new number of credits; those that were credited stay, and so do their refunds.
     */
    post: operations['adminUpdateProduct'];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/functions/v1/admin-deliveries': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /**
     * List the outgoing webhooks
     * @description Returns what the operator’s own server is told, newest first, of the last 30 days. A pending one that is due waits for its turn, or for a receiver that has said 410 or 429.
     */
    get: operations['adminDeliveries'];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/functions/v1/admin-replay-delivery': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    /**
     * Send an outgoing webhook or a push again
     * @description Sends an outgoing webhook with the same `webhook-id`, also one that was delivered, and with all attempts. If the receiver had stopped the sending by a 410, it goes on. The id of a push sends that push again, with its own id at Apple, if the device still belongs to the account and the video is still there.
     */
    post: operations['adminReplayDelivery'];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/functions/v1/admin-pause': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    /**
     * Stop the sale of videos, or go on with it
     * @description While it is stopped, `generate-video` returns a 503 `ERR_4019` with `Retry-After` and charges nothing; a repeat of a request that was paid for still gets its response. Videos that were paid for are finished, and purchases are credited.
     */
    post: operations['adminPause'];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/functions/v1/admin-users': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /**
     * List accounts, or find one
     * @description With `query`: the accounts that it is an id of, deleted ones too; a merged guest’s is the account that it was merged into. Without: the accounts that are not deleted. Newest first. Follow `next_cursor` with the same filters: every page costs the same.
     */
    get: operations['adminUsers'];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/functions/v1/admin-jobs': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /**
     * List jobs
     * @description All jobs, deleted ones too. Newest first. Follow `next_cursor` with the same filters: every page costs the same.
     */
    get: operations['adminJobs'];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/functions/v1/admin-transactions': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /**
     * List changes of balances
     * @description The ledger of all accounts. Newest first. Follow `next_cursor` with the same filters: every page costs the same.
     */
    get: operations['adminTransactions'];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/functions/v1/admin-purchases': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /**
     * List purchases
     * @description Every transaction of a store that this server has seen. Newest first. Follow `next_cursor` with the same filters: every page costs the same.
     */
    get: operations['adminPurchases'];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/functions/v1/admin-notifications': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /**
     * List notifications of stores
     * @description What the stores have told this server about purchases, and what has followed. Newest first. Follow `next_cursor` with the same filters: every page costs the same.
     */
    get: operations['adminNotifications'];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/functions/v1/admin-errors': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /**
     * List errors
     * @description Failed generations and answers of 500 and more, as long as they are kept. Newest first. Follow `next_cursor` with the same filters: every page costs the same.
     */
    get: operations['adminErrors'];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/functions/v1/admin-actions': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /**
     * List what administrators have changed
     * @description One row for each change, with its reason. Newest first. Follow `next_cursor` with the same filters: every page costs the same.
     */
    get: operations['adminActions'];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/functions/v1/admin-models': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /**
     * List models
     * @description All models, also those that are not on offer. Newest first. Follow `next_cursor` with the same filters: every page costs the same.
     */
    get: operations['adminModels'];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/functions/v1/admin-products': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /**
     * List products
     * @description All products, also those that are not on sale. Newest first. Follow `next_cursor` with the same filters: every page costs the same.
     */
    get: operations['adminProducts'];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/functions/v1/admin-codes': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /**
     * List codes for credits
     * @description All codes, also those that are used up or expired. Newest first. Follow `next_cursor` with the same filters: every page costs the same.
     */
    get: operations['adminCodes'];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/functions/v1/admin-user-stats': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /**
     * Get an account in figures
     * @description A merged guest’s id stands for the account that it was merged into. Deleted accounts are found too.
     */
    get: operations['adminUserStats'];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/functions/v1/admin-user-timeline': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /**
     * List everything that has happened to an account
     * @description Merges the ledger, jobs, attempts, events of providers, purchases, notifications of stores, sessions, changes by administrators and errors, also those of merged guests. Newest first; every page costs the same. An entry shows the present state of what it is about.
     */
    get: operations['adminUserTimeline'];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/functions/v1/admin-job': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /**
     * Get a job with its attempts, events and files
     * @description Everything about a job but its prompt.
     */
    get: operations['adminJob'];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/functions/v1/admin-health': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /**
     * Get the state of the system
     * @description The queue, the providers, and the rules of the money as the last check found them.
     */
    get: operations['adminHealth'];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/functions/v1/admin-overview': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /**
     * Get the figures of some days
     * @description Days are in UTC; instants stand for their days. At most 400 days lie between `from` and `to`; the last thirty by default. Figures are up to date when they are read, also today’s: what is older than about a minute is counted, and the rest is read live, at most 10,000 rows of a kind. After an outage of the worker it counts for some minutes, and the newest figures are incomplete meanwhile. A day’s figures no longer change a minute after it has ended, whatever is deleted later.
     */
    get: operations['adminOverview'];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/functions/v1/admin-reports': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /**
     * List what users have reported
     * @description Reports of `report-video`, newest first. Every page costs the same.
     */
    get: operations['adminReports'];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/functions/v1/admin-handle-report': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    /**
     * Mark a report as handled
     * @description Notes that a report was looked at, and why nothing more is to be done about it.
     */
    post: operations['adminHandleReport'];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/healthz': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /**
     * Check that the process runs
     * @description Returns 200 without a query to the database. For a supervisor that restarts processes that do not respond.
     */
    get: operations['getHealth'];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/readyz': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /**
     * Check that the server is ready
     * @description Returns 200 if the database responds and is migrated and the worker runs, until the server begins to shut down. For a load balancer. `worker` is null if another process does the background work.
     */
    get: operations['getReadiness'];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/metrics': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /**
     * Read the metrics
     * @description For Prometheus. With `METRICS_TOKEN` set, send it as `Authorization: Bearer …`; without it, only requests from the server’s own machine are answered. What processes count themselves is added up over all of them. Figures of the database are the same from each process, so take their maximum; they are left out while the database does not respond.
     */
    get: operations['getMetrics'];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
}
export type webhooks = Record<string, never>;
export interface components {
  schemas: {
    /**
     * @example {
     *       "type": "https://api.example.com/docs#ERR_4004",
     *       "title": "Rate limit exceeded",
     *       "status": 429,
     *       "detail": "That was a little too fast. Please try again in 30 seconds.",
     *       "code": "ERR_4004",
     *       "details": {
     *         "retry_after": 30
     *       },
     *       "retryable": true,
     *       "retry_after": 30,
     *       "charged": false,
     *       "support_id": "5f0e9b2f-4e55-4b8e-9d0e-2a6c1f7d8f3c"
     *     }
     */
    Problem: {
      /** @description A page about the code. The same for every error with this code. */
      type: string;
      /** @description The name of the code, in English. */
      title: string;
      status: number;
      /** @description A message for the user, in the language of `Accept-Language`. */
      detail: string;
      /** @description As in the other format. */
      code: string;
      /** @description As in the other format. */
      details: {
        [key: string]: unknown;
      };
      /** @description Whether the same request may succeed later. */
      retryable: boolean;
      /** @description The seconds to wait before that, if known. */
      retry_after: number | null;
      /**
       * @description A request that fails is never charged.
       * @enum {boolean}
       */
      charged: false;
      /** @description The `X-Request-Id`, for a report to the operator. */
      support_id: string;
    };
    Onboarded: {
      /** Format: uuid */
      user_id: string;
      /** @description The balance, in credits. */
      credits_remaining: number;
      /** @description Whether this call created the account. */
      is_new: boolean;
      session: components['schemas']['Session'];
      /** @description The same as in `session`. */
      access_token: string;
      /** @description The same as in `session`. */
      refresh_token: string;
    };
    Session: {
      /** @description Send it as `Authorization: Bearer …` with every request. */
      access_token: string;
      /** @enum {string} */
      token_type: 'bearer';
      /** @description The lifetime of the access token, in seconds. */
      expires_in: number;
      /** @description When the access token expires, in Unix seconds. */
      expires_at: number;
      /** @description Can be exchanged once for the next pair of tokens. */
      refresh_token: string;
      user: components['schemas']['User'];
    };
    User: {
      /** Format: uuid */
      id: string;
      /** @enum {string} */
      aud: 'authenticated';
      /** @enum {string} */
      role: 'authenticated';
      /** @description Empty if unknown. */
      email: string;
      /** @description Always empty: phone numbers are not collected. */
      phone: string;
      /** @description How the account signs in; empty for guests. */
      app_metadata: {
        [key: string]: unknown;
      };
      /** @description What the app keeps with the account. */
      user_metadata: {
        [key: string]: unknown;
      };
      /** @description Sign in with Apple, if the account has it. */
      identities: components['schemas']['Identity'][];
      /**
       * Format: date-time
       * @description Set when Apple has verified the address.
       * @example 2026-11-23T09:30:00.000Z
       */
      email_confirmed_at?: string;
      /**
       * Format: date-time
       * @example 2026-11-23T09:30:00.000Z
       */
      confirmed_at?: string;
      /** @description Whether the account is a guest. */
      is_anonymous: boolean;
      /**
       * Format: date-time
       * @example 2026-11-23T09:30:00.000Z
       */
      last_sign_in_at: string;
      /**
       * Format: date-time
       * @example 2026-11-23T09:30:00.000Z
       */
      created_at: string;
      /**
       * Format: date-time
       * @example 2026-11-23T09:30:00.000Z
       */
      updated_at: string;
    };
    Identity: {
      /** Format: uuid */
      identity_id: string;
      /** @description Apple’s id of the person. */
      id: string;
      /** Format: uuid */
      user_id: string;
      identity_data: {
        [key: string]: unknown;
      };
      /** @enum {string} */
      provider: 'apple';
      email?: string;
      /**
       * Format: date-time
       * @example 2026-11-23T09:30:00.000Z
       */
      last_sign_in_at: string;
      /**
       * Format: date-time
       * @example 2026-11-23T09:30:00.000Z
       */
      created_at: string;
      /**
       * Format: date-time
       * @example 2026-11-23T09:30:00.000Z
       */
      updated_at: string;
    };
    Error: {
      error: {
        /**
         * @description A stable code to branch on. New codes may be added in the same families.
         * @example ERR_4001
         */
        code: string;
        /** @description A message for the user, in the language of `Accept-Language`. */
        message: string;
        /** @description More about this error, such as `field` and `allowed`. Empty if there is nothing to add. */
        details: {
          [key: string]: unknown;
        };
      };
    };
    Profile: {
      /** Format: uuid */
      id: string;
      email: string | null;
      /** @description The id that the app sent to `device-check`. */
      device_id: string | null;
      /** @description The Apple user id, if the account has one. */
      apple_sub: string | null;
      /** @description Whether the account is identified only by a device. */
      is_guest: boolean;
      /** @enum {string} */
      tier: 'free' | 'premium';
      /** @description The balance; negative after the refund of a purchase that was already spent, in credits. */
      credits_remaining: number;
      /** @description All credits that were ever granted or bought; refunds do not count, in credits. */
      credits_total: number;
      initial_grant_claimed: boolean;
      /**
       * @description Used if `Accept-Language` names no supported language.
       * @enum {string}
       */
      language: 'en' | 'tr' | 'es';
      /** @enum {string} */
      theme_preference: 'light' | 'dark' | 'system';
      /**
       * Format: date-time
       * @example 2026-11-23T09:30:00.000Z
       */
      created_at: string;
      /**
       * Format: date-time
       * @example 2026-11-23T09:30:00.000Z
       */
      updated_at: string;
    };
    AuthError: {
      code: string | number;
      message?: string;
      error_code?: string;
      msg?: string;
    };
    /** @description Why a grant was refused, in the format of OAuth. */
    OAuthError: {
      error: string;
      error_description: string;
    };
    Keys: {
      /** @description JSON Web Keys (EC, P-256) for ES256. */
      keys: {
        [key: string]: unknown;
      }[];
    };
    AuthSettings: {
      external: {
        [key: string]: boolean;
      };
      disable_signup: boolean;
      mailer_autoconfirm: boolean;
      phone_autoconfirm: boolean;
      sms_provider: string;
      saml_enabled: boolean;
      /** @description In development: the path of the page that stands for Apple’s. Null: sign in at Apple. */
      apple_authorize_url: string | null;
      /** @description In development: the path of the page that stands for the App Store. Null: buy in the App Store. */
      app_store_url: string | null;
    };
    MergedGuest: {
      /** @enum {boolean} */
      success: true;
      user: components['schemas']['Profile'];
      session: components['schemas']['Session'];
    };
    Sessions: {
      sessions: {
        /** Format: uuid */
        id: string;
        /**
         * Format: date-time
         * @example 2026-11-23T09:30:00.000Z
         */
        created_at: string;
        /**
         * Format: date-time
         * @description When its tokens were last renewed.
         * @example 2026-11-23T09:30:00.000Z
         */
        refreshed_at: string;
        /** @description Whether this call’s token belongs to it. */
        is_current: boolean;
      }[];
    };
    Done: {
      /** @enum {boolean} */
      success: true;
    };
    ExportedAccount: {
      exported_at: string;
      user: {
        [key: string]: unknown;
      };
      jobs: {
        [key: string]: unknown;
      }[];
      transactions: {
        [key: string]: unknown;
      }[];
      purchases: {
        [key: string]: unknown;
      }[];
      uploads: {
        [key: string]: unknown;
      }[];
      sessions: {
        [key: string]: unknown;
      }[];
    };
    Balance: {
      /** @description The balance, in credits. */
      credits_remaining: number;
    };
    Transactions: {
      transactions: {
        /** Format: uuid */
        id: string;
        /** @description The change: positive if gained, negative if spent, in credits. */
        change: number;
        /** @description Such as `initial_grant`, `video_generation` or `generation_failed_refund`. New reasons may be added, such as for purchases and corrections. */
        reason: string;
        /** @description The balance after the change, in credits. */
        balance_after: number;
        /**
         * Format: uuid
         * @description The job that was paid for or refunded, if any.
         */
        job_id: string | null;
        /**
         * Format: date-time
         * @example 2026-11-23T09:30:00.000Z
         */
        created_at: string;
      }[];
      /** @description Send it as `cursor` to get the next page; null on the last page. */
      next_cursor: string | null;
    };
    AdminExplainedBalance: {
      /**
       * Format: uuid
       * @description Of a merged guest’s id: the account that it was merged into.
       */
      user_id: string;
      /** @description The balance, in credits. */
      balance: number;
      /** @description The oldest first, at most 100. */
      lots: {
        /** Format: uuid */
        lot_id: string;
        /** @description The reason of the ledger row that opened the lot. */
        source: string;
        /** @description What the lot began with, in credits. */
        amount: number;
        /** @description What is left of it, in credits. */
        remaining: number;
        /**
         * Format: date-time
         * @example 2026-11-23T09:30:00.000Z
         */
        expires_at: string | null;
        /**
         * Format: date-time
         * @example 2026-11-23T09:30:00.000Z
         */
        created_at: string;
        transaction_id: string | null;
        /** @description The first ones, at most 1,000. */
        movements: {
          /** Format: uuid */
          job_id: string | null;
          /** @description The change: negative if spent, positive if given back, in credits. */
          change: number;
          /**
           * Format: date-time
           * @example 2026-11-23T09:30:00.000Z
           */
          at: string;
        }[];
        /** @description Send it as `cursor` to get the lot’s next movements. */
        next_cursor: string | null;
      }[];
      rules: {
        rule: string;
        holds: boolean;
      }[];
      /** @description Send it as `cursor` to get the next lots. */
      next_cursor: string | null;
    };
    Redeemed: {
      /** @enum {boolean} */
      success: true;
      /** @description What the code has added; 0 if this account had used it before, in credits. */
      credits_added: number;
      /** @description The balance, in credits. */
      credits_remaining: number;
    };
    Models: {
      models: components['schemas']['Model'][];
    };
    Model: {
      /** Format: uuid */
      id: string;
      name: string;
      /** @description Such as `cinematic`, `creative`, `image-to-video` or `sandbox`. */
      category: string;
      /** @description What the model is good at, in English, to show to users. */
      description: string;
      /** @description The price of one generation with the default settings, in credits. */
      cost_per_generation: number;
      /** @description `ceil(duration / per_seconds) × credits`; flat if `per_seconds` is null. */
      pricing: {
        /** @description The price per started `per_seconds`, or of the whole video if `per_seconds` is null, in credits. */
        credits: number;
        /** @description The billing unit, in seconds of video; null for a flat price. */
        per_seconds: number | null;
      };
      /** @description The provider that makes the video: `fal`, `runway`, `pika` or `sandbox`. */
      provider: string;
      /** @description The provider’s name for the model. */
      provider_model_id: string;
      /** @description Whether the provider is simulated: no vendor is called, and the result is a stock video of the duration that was paid for. Never true in production. */
      is_simulated: boolean;
      /** @description Whether the model is listed first. */
      is_featured: boolean;
      /** @description Always true in this list. */
      is_available: boolean;
      /** @description Whether the model needs an `image_url`. */
      requires_image: boolean;
      /** @description The maximum prompt length in characters, after trimming. The minimum is 3. */
      prompt_max: number;
      /** Format: uri */
      thumbnail_url: string | null;
      /** @description The JSON Schema (2020-12) of the `settings` that this model accepts. */
      settings_schema: {
        $schema?: string;
        /** @enum {string} */
        type: 'object';
        properties: {
          [key: string]: components['schemas']['Setting'];
        };
      };
      /**
       * Format: date-time
       * @example 2026-11-23T09:30:00.000Z
       */
      created_at: string;
    };
    Setting: {
      /** @enum {string} */
      type: 'integer' | 'string' | 'boolean';
      /** @description All allowed values. */
      enum?: (string | number | boolean)[];
      minimum?: number;
      maximum?: number;
      default?: string | number | boolean;
    };
    Products: {
      products: {
        /** @description The product’s id in the App Store. */
        product_id: string;
        /** @description What one purchase adds to the balance, in credits. */
        credits: number;
        /** @description A name to show to users, in English. */
        display_name: string;
        /** @description What it costs in this server’s web shop; absent if it is not sold there. */
        web_price?: {
          /** @description In the currency’s own unit, such as 2.99. */
          amount: number;
          /** @description In lower case, such as `usd`. */
          currency: string;
        };
      }[];
    };
    GenerationStarted: {
      /** Format: uuid */
      job_id: string;
      /** @enum {string} */
      status: 'pending';
      /** @description The price that was charged, in credits. */
      credits_used: number;
    };
    VideoJob: {
      /** Format: uuid */
      job_id: string;
      status: components['schemas']['JobStatus'];
      /**
       * Format: uri
       * @description The signed URL of the video (MP4); null until it exists. Valid for 24 hours; every read returns a newly signed URL.
       */
      video_url: string | null;
      /**
       * Format: uri
       * @description The signed URL of the thumbnail (JPEG); null until it exists. Valid for 24 hours; every read returns a newly signed URL.
       */
      thumbnail_url: string | null;
      /** @description In percent, if the provider reports it. */
      progress: number | null;
      /** @description The number of jobs ahead of it at the provider, if the provider reports it. */
      queue_position: number | null;
      /** @description Why the job failed, such as `ERR_5003`. Its credits are refunded. */
      error_code: string | null;
      /** @description The reason as a message in the caller’s language. */
      error_message: string | null;
      prompt: string;
      /**
       * Format: uuid
       * @description The `id` of the model, which `get-models` may list no longer.
       */
      model_id: string;
      /** @description The name of the model when the job was created. */
      model_name: string;
      /**
       * @description Every setting of the model as it was charged, defaults included.
       * @example {
       *       "duration": 4,
       *       "aspect_ratio": "9:16"
       *     }
       */
      settings: {
        [key: string]: string | number | boolean;
      };
      /** @description The storage path of the image that the video was made from, to send as `image_url` again; null without one. */
      image_url: string | null;
      /** @description The price that was charged; refunded if the job failed, in credits. */
      credits_used: number;
      /**
       * Format: date-time
       * @example 2026-11-23T09:30:00.000Z
       */
      created_at: string;
      /**
       * Format: date-time
       * @description When the job completed or failed; null before.
       * @example 2026-11-23T09:30:00.000Z
       */
      completed_at: string | null;
      /**
       * Format: date-time
       * @description When the files of a completed job were removed because of their age; absent otherwise.
       * @example 2026-11-23T09:30:00.000Z
       */
      video_removed_at?: string;
    };
    /**
     * @description `pending` → `processing` → `completed` or `failed`. The last two are final.
     * @enum {string}
     */
    JobStatus: 'pending' | 'processing' | 'completed' | 'failed';
    VideoJobs: {
      jobs: {
        /** Format: uuid */
        job_id: string;
        prompt: string;
        /**
         * Format: uuid
         * @description The `id` of the model, which `get-models` may list no longer.
         */
        model_id: string;
        /** @description The name of the model when the job was created. */
        model_name: string;
        /**
         * @description Every setting of the model as it was charged, defaults included.
         * @example {
         *       "duration": 4,
         *       "aspect_ratio": "9:16"
         *     }
         */
        settings: {
          [key: string]: string | number | boolean;
        };
        /** @description The storage path of the image that the video was made from, to send as `image_url` again; null without one. */
        image_url: string | null;
        /** @description The price that was charged; refunded if the job failed, in credits. */
        credits_used: number;
        status: components['schemas']['JobStatus'];
        /** @description Why the job failed, such as `ERR_5003`. Its credits are refunded. */
        error_code: string | null;
        /**
         * Format: uri
         * @description The signed URL of the video (MP4); null until it exists. Valid for 24 hours; every read returns a newly signed URL.
         */
        video_url: string | null;
        /**
         * Format: uri
         * @description The signed URL of the thumbnail (JPEG); null until it exists. Valid for 24 hours; every read returns a newly signed URL.
         */
        thumbnail_url: string | null;
        /**
         * Format: date-time
         * @example 2026-11-23T09:30:00.000Z
         */
        created_at: string;
      }[];
      /** @description The number of jobs on all pages. */
      total: number;
      has_more: boolean;
      /** @description Send it as `cursor` to get the next page; null on the last page. */
      next_cursor: string | null;
    };
    Cancelled: {
      /** @enum {boolean} */
      success: true;
      /** @description The refund, in credits. */
      refunded: number;
      /** @description The balance after the refund, in credits. */
      credits_remaining: number;
    };
    Removed: {
      /** @enum {boolean} */
      success: true;
    };
    Shared: {
      /**
       * Format: uri
       * @description The page of the video; the same for a repeat.
       */
      url: string;
    };
    CreditedPurchase: {
      /** @enum {boolean} */
      success: true;
      /** @description What this call has added: 0 when the purchase was credited before, in credits. */
      credits_added: number;
      /** @description The balance, in credits. */
      credits_remaining: number;
      /** @description The balance again, for older apps, in credits. */
      total_credits: number;
    };
    UpdateCreditsRequest: {
      /**
       * Format: uuid
       * @description Only compared with the access token. Another user’s id returns a 403.
       */
      user_id?: string | null;
      /** @description The id of the transaction, as StoreKit shows it. The server asks the App Store about it. */
      transaction_id?: string | null;
      /** @description The transaction as StoreKit 2 has signed it (`jwsRepresentation`). It is verified without a call to Apple. */
      signed_transaction?: string | null;
    };
    AppStoreServerNotification: {
      signedPayload: string;
    };
    Checkout: {
      /**
       * Format: uri
       * @description A page of Stripe’s, open for 24 hours. It leads back to this site with `?checkout=success` or `=cancelled`.
       */
      url: string;
    };
    StripeReceived: {
      /** @enum {boolean} */
      success: true;
    };
    StripeEvent: {
      id: string;
      type: string;
      created: number;
      data: {
        object?: unknown;
      };
    };
    ObjectEntries: components['schemas']['ObjectEntry'][];
    ObjectEntry: {
      name: string;
      /** @description Null for a folder. */
      id: string | null;
      /** Format: date-time */
      updated_at: string | null;
      /** Format: date-time */
      created_at: string | null;
      /** Format: date-time */
      last_accessed_at: string | null;
      metadata: {
        size: number | null;
        contentLength: number | null;
        mimetype: string | null;
        eTag: string | null;
        cacheControl: string;
        lastModified: string;
      } | null;
    };
    ListObjects: {
      /** @description The folder to list. Empty for the root, which contains only the caller’s own folder. */
      prefix?: string | null;
      limit?: number | null;
      offset?: number | null;
      search?: string | null;
      sortBy?: {
        /** @enum {string} */
        column?: 'name' | 'created_at' | 'updated_at';
        /** @enum {string} */
        order?: 'asc' | 'desc';
      } | null;
    };
    ObjectInfo: {
      id: string;
      name: string;
      bucket_id: string;
      version: string;
      size: number;
      content_type: string;
      cache_control: string;
      etag: string;
      /** @description What the client sent with the upload. */
      metadata: {
        [key: string]: unknown;
      };
      /** Format: date-time */
      last_modified: string;
      /** Format: date-time */
      created_at: string;
    };
    StoredObject: {
      Id: string;
      /** @description `<bucket>/<path>` */
      Key: string;
    };
    RemoveObjects: {
      /** @description The full paths of files, not of folders. */
      prefixes: string[];
    };
    SignedAddresses: {
      error: string | null;
      path: string;
      signedURL: string | null;
    }[];
    SignObjects: {
      /**
       * @description The lifetime in seconds; a year at most.
       * @example 3600
       */
      expiresIn: number;
      paths: string[];
    };
    SignedAddress: {
      /** @description Relative to `/storage/v1`. */
      signedURL: string;
    };
    SignObject: {
      /**
       * @description The lifetime in seconds; a year at most.
       * @example 3600
       */
      expiresIn: number;
    };
    UploadAddress: {
      /** @description Relative to `/storage/v1`. */
      url: string;
      token: string;
    };
    UploadedObject: {
      Key: string;
    };
    Received: {
      /** @enum {boolean} */
      success: true;
    };
    ProviderEvent: {
      /** @description Identifies the event, which is recorded once. Without it, the SHA-256 of the body does. */
      id?: string | null;
      /** @enum {string} */
      type: 'video.completed' | 'video.failed';
      data: {
        provider?: string | null;
        provider_job_id: string;
        /** @description Not used: the server asks the provider instead. */
        video_url?: string;
        /** @description Not used: the server asks the provider instead. */
        thumbnail_url?: string;
        /** @description Not used: the server asks the provider instead. */
        error?: unknown;
      };
    };
    FalEvent: {
      request_id: string;
      /** @enum {string} */
      status: 'OK' | 'ERROR';
      payload?: unknown;
    };
    /** @description One event of `job-events`: its lines by name, with `data` parsed as JSON. */
    JobEvent:
      | {
          /** @description Send the last one as `Last-Event-ID` to resume after it. It is `beginning` on the events that list the unfinished jobs at the start of a stream; a message with only an id follows them. */
          id: string;
          /** @enum {string} */
          event: 'queued';
          data: {
            /** Format: uuid */
            job_id: string;
            /**
             * Format: date-time
             * @example 2026-11-23T09:30:00.000Z
             */
            created_at: string;
            /** @enum {string} */
            status: 'pending';
          };
        }
      | {
          /** @description Send the last one as `Last-Event-ID` to resume after it. It is `beginning` on the events that list the unfinished jobs at the start of a stream; a message with only an id follows them. */
          id: string;
          /** @enum {string} */
          event: 'processing';
          data: {
            /** Format: uuid */
            job_id: string;
            /**
             * Format: date-time
             * @example 2026-11-23T09:30:00.000Z
             */
            created_at: string;
            /** @enum {string} */
            status: 'processing';
            /** @description In percent, if the provider reports it. */
            progress: number | null;
            /** @description The number of jobs ahead of it at the provider, if the provider reports it. */
            queue_position: number | null;
          };
        }
      | {
          /** @description Send the last one as `Last-Event-ID` to resume after it. It is `beginning` on the events that list the unfinished jobs at the start of a stream; a message with only an id follows them. */
          id: string;
          /** @enum {string} */
          event: 'completed';
          data: {
            /** Format: uuid */
            job_id: string;
            /**
             * Format: date-time
             * @example 2026-11-23T09:30:00.000Z
             */
            created_at: string;
            /** @enum {string} */
            status: 'completed';
            /**
             * Format: uri
             * @description The URL of the video, signed as the event is sent; null without one, or if the job was deleted since.
             */
            video_url: string | null;
            /**
             * Format: uri
             * @description The URL of the thumbnail, signed as the event is sent; null without one, or if the job was deleted since.
             */
            thumbnail_url: string | null;
          };
        }
      | {
          /** @description Send the last one as `Last-Event-ID` to resume after it. It is `beginning` on the events that list the unfinished jobs at the start of a stream; a message with only an id follows them. */
          id: string;
          /** @enum {string} */
          event: 'failed';
          data: {
            /** Format: uuid */
            job_id: string;
            /**
             * Format: date-time
             * @example 2026-11-23T09:30:00.000Z
             */
            created_at: string;
            /** @enum {string} */
            status: 'failed';
            /** @description Why the job failed, such as `ERR_5003`. */
            error_code: string;
            /** @description The reason as a message in the caller’s language. */
            error_message: string;
            /** @description The refund, in credits. */
            refunded: number;
          };
        }
      | {
          /** @description Send the last one as `Last-Event-ID` to resume after it. It is `beginning` on the events that list the unfinished jobs at the start of a stream; a message with only an id follows them. */
          id: string;
          /** @enum {string} */
          event: 'credits';
          data: {
            /** @description The balance after the change, in credits. */
            credits_remaining: number;
            /** @description The change: positive if gained, negative if spent, in credits. */
            change: number;
            /** @description The reason, as in `get-credit-history`. */
            reason: string;
            /**
             * Format: uuid
             * @description The `id` of the transaction in `get-credit-history`.
             */
            transaction_id: string;
            /**
             * Format: date-time
             * @example 2026-11-23T09:30:00.000Z
             */
            created_at: string;
          };
        };
    PushTokenChanged: {
      /** @enum {boolean} */
      success: true;
    };
    AdminSession: {
      /** @description For admin endpoints alone. Lasts an hour and is not renewed. */
      access_token: string;
      /** @enum {string} */
      token_type: 'bearer';
      /**
       * Format: date-time
       * @example 2026-11-23T09:30:00.000Z
       */
      expires_at: string;
      /** @description The administrator’s e-mail address. */
      email: string;
    };
    NewBalance: {
      /** @enum {boolean} */
      success: true;
      /** @description The balance after the change. */
      new_balance: number;
    };
    CancelledByAdmin: {
      /** @enum {boolean} */
      success: true;
      /** @description What was given back, in credits. */
      refunded: number;
    };
    Deliveries: {
      deliveries: {
        /**
         * Format: uuid
         * @description The `webhook-id` of its requests.
         */
        id: string;
        /** Format: uuid */
        user_id: string;
        /** @enum {string} */
        type:
          | 'video.completed'
          | 'video.failed'
          | 'credits.changed'
          | 'purchase.completed'
          | 'purchase.refunded'
          | 'account.merged'
          | 'account.deleted';
        /** @enum {string} */
        state: 'pending' | 'delivered' | 'failed';
        attempts: number;
        /** @description The receiver’s; null if it gave none. */
        last_status: number | null;
        /** @description Why it gave none. */
        last_error: string | null;
        /** @description The field `data` of its body. */
        data: {
          [key: string]: unknown;
        };
        /**
         * Format: date-time
         * @example 2026-11-23T09:30:00.000Z
         */
        created_at: string;
        /**
         * Format: date-time
         * @example 2026-11-23T09:30:00.000Z
         */
        last_attempt_at: string | null;
        /**
         * Format: date-time
         * @description Of a pending one.
         * @example 2026-11-23T09:30:00.000Z
         */
        next_attempt_at: string | null;
        /**
         * Format: date-time
         * @example 2026-11-23T09:30:00.000Z
         */
        delivered_at: string | null;
      }[];
      next_cursor: string | null;
    };
    AdminUser: {
      /** Format: uuid */
      id: string;
      email: string | null;
      is_guest: boolean;
      is_banned: boolean;
      /** @description The balance, in credits. */
      credits_remaining: number;
      /** @description What was earned in the account’s lifetime, in credits. */
      credits_total: number;
      /**
       * Format: date-time
       * @example 2026-11-23T09:30:00.000Z
       */
      created_at: string;
      /**
       * Format: date-time
       * @example 2026-11-23T09:30:00.000Z
       */
      deleted_at: string | null;
    };
    AdminJob: {
      /** Format: uuid */
      job_id: string;
      /** Format: uuid */
      user_id: string;
      /** Format: uuid */
      model_id: string;
      /** @description As it was when the job was ordered. */
      model_name: string;
      provider: string;
      /** @description The provider’s id; quote it to the provider’s support. */
      provider_job_id: string | null;
      /** @enum {string} */
      status: 'pending' | 'processing' | 'completed' | 'failed';
      /** @description The price, in credits. */
      credits_used: number;
      error_code: string | null;
      error_reason: string | null;
      /**
       * Format: date-time
       * @example 2026-11-23T09:30:00.000Z
       */
      created_at: string;
      /**
       * Format: date-time
       * @example 2026-11-23T09:30:00.000Z
       */
      submitted_at: string | null;
      /**
       * Format: date-time
       * @description When the job was completed or failed.
       * @example 2026-11-23T09:30:00.000Z
       */
      completed_at: string | null;
      /**
       * Format: date-time
       * @example 2026-11-23T09:30:00.000Z
       */
      deleted_at: string | null;
    };
    AdminTransaction: {
      /** Format: uuid */
      id: string;
      /**
       * Format: uuid
       * @description A merged guest’s rows stay under its own id.
       */
      user_id: string;
      /** @description The change: positive if gained, negative if spent, in credits. */
      change: number;
      reason: string;
      /** @description The balance after the change, in credits. */
      balance_after: number;
      /** Format: uuid */
      job_id: string | null;
      transaction_id: string | null;
      /** Format: uuid */
      purchase_id: string | null;
      /**
       * Format: date-time
       * @example 2026-11-23T09:30:00.000Z
       */
      created_at: string;
    };
    AdminPurchase: {
      /** Format: uuid */
      id: string;
      store: string;
      environment: string;
      /** @description The store’s id. */
      transaction_id: string;
      /**
       * Format: uuid
       * @description Null until an account is credited.
       */
      user_id: string | null;
      product_id: string | null;
      quantity: number | null;
      /** @description What was credited, in credits. */
      credits: number;
      /** @description What refunds have taken back, in credits. */
      taken_back: number;
      is_refunded: boolean;
      /** @description In units of `currency`; null if the store did not say. */
      price: number | null;
      currency: string | null;
      /**
       * Format: date-time
       * @example 2026-11-23T09:30:00.000Z
       */
      purchased_at: string | null;
      /**
       * Format: date-time
       * @example 2026-11-23T09:30:00.000Z
       */
      created_at: string;
    };
    AdminNotification: {
      notification_id: string;
      store: string;
      type: string;
      subtype: string | null;
      environment: string | null;
      transaction_id: string | null;
      /**
       * Format: uuid
       * @description The account that had the purchase when the notification was processed.
       */
      user_id: string | null;
      /** @description What has followed; null until it is processed. */
      outcome: string | null;
      /**
       * Format: date-time
       * @example 2026-11-23T09:30:00.000Z
       */
      signed_at: string;
      /**
       * Format: date-time
       * @example 2026-11-23T09:30:00.000Z
       */
      received_at: string;
      /**
       * Format: date-time
       * @example 2026-11-23T09:30:00.000Z
       */
      processed_at: string | null;
    };
    AdminError: {
      id: number;
      /** Format: uuid */
      user_id: string | null;
      error_code: string;
      endpoint: string | null;
      /** @description The `X-Request-Id` of the response. */
      request_id: string | null;
      /** Format: uuid */
      job_id: string | null;
      /** @description The cause, for operators. Words of a prompt are left out. */
      details?: unknown;
      /**
       * Format: date-time
       * @example 2026-11-23T09:30:00.000Z
       */
      created_at: string;
    };
    AdminAction: {
      id: number;
      /**
       * Format: uuid
       * @description Null for what was done on the command line.
       */
      admin_user_id: string | null;
      admin_email: string | null;
      action_type: string;
      /** Format: uuid */
      target_user_id: string | null;
      /** Format: uuid */
      target_model_id: string | null;
      /** Format: uuid */
      target_job_id: string | null;
      /** @description What is no account, model or job, such as a product’s id. */
      target: string | null;
      amount: number | null;
      reason: string;
      details?: unknown;
      /**
       * Format: date-time
       * @example 2026-11-23T09:30:00.000Z
       */
      created_at: string;
    };
    AdminUserStats: {
      user: {
        /** Format: uuid */
        id: string;
        email: string | null;
        is_guest: boolean;
        is_banned: boolean;
        ban_reason: string | null;
        tier: string;
        /** @description The balance, in credits. */
        credits_remaining: number;
        /** @description What was earned in the account’s lifetime, in credits. */
        credits_total: number;
        initial_grant_claimed: boolean;
        language: string;
        /**
         * Format: date-time
         * @example 2026-11-23T09:30:00.000Z
         */
        created_at: string;
        /**
         * Format: date-time
         * @example 2026-11-23T09:30:00.000Z
         */
        deleted_at: string | null;
        /** @description The guests that were merged into the account. */
        merged_guest_ids: string[];
      };
      stats: {
        /** @description All jobs, deleted ones too. */
        total_jobs: number;
        completed_jobs: number;
        /** @description Also the cancelled ones. */
        failed_jobs: number;
        /** @description completed / (completed + failed); 0 while none has finished. */
        success_rate: number;
        /** @description What all generations were charged, refunded or not, in credits. */
        credits_spent: number;
        /** @description What came back, for failed generations and by administrators, in credits. */
        credits_refunded: number;
        /** @description How many. */
        purchases: number;
      };
      /** @description The newest twenty. */
      recent_transactions: components['schemas']['AdminTransaction'][];
    };
    AdminTimeline: {
      events: {
        /**
         * Format: date-time
         * @example 2026-11-23T09:30:00.000Z
         */
        at: string;
        /** @enum {string} */
        kind:
          | 'credits'
          | 'job'
          | 'attempt'
          | 'provider_event'
          | 'purchase'
          | 'notification'
          | 'push'
          | 'delivery'
          | 'session'
          | 'admin_action'
          | 'error';
        /** @description One sentence in English. */
        summary: string;
        /** @description Ids and figures; which depends on the kind. */
        data: {
          [key: string]: unknown;
        };
      }[];
      /** @description Send it as `cursor` to get the next page; null on the last page. A page may have fewer rows than asked for, or none, and still be followed by others: filters without an index are compared with a bounded number of rows at a time. */
      next_cursor: string | null;
    };
    AdminJobDetails: {
      job: components['schemas']['AdminJob'] & {
        settings?: unknown;
        /**
         * Format: date-time
         * @example 2026-11-23T09:30:00.000Z
         */
        deadline_at: string;
        video_seconds: number | null;
      };
      attempts: {
        /** Format: uuid */
        id: string;
        attempt: number;
        provider: string;
        provider_model_id: string;
        /** @description How the submit went. */
        state: string;
        /** @description How the provider’s job ended. */
        result: string | null;
        /** @description What the provider said. Words of the prompt are left out. */
        error: string | null;
        provider_job_id: string | null;
        vendor_request_id: string | null;
        vendor_cost_usd: number | null;
        /**
         * Format: date-time
         * @example 2026-11-23T09:30:00.000Z
         */
        created_at: string;
        /**
         * Format: date-time
         * @example 2026-11-23T09:30:00.000Z
         */
        closed_at: string | null;
        /**
         * Format: date-time
         * @example 2026-11-23T09:30:00.000Z
         */
        ended_at: string | null;
      }[];
      events: {
        /**
         * Format: date-time
         * @example 2026-11-23T09:30:00.000Z
         */
        at: string;
        /**
         * @description `provider`: it has told us; `account`: we have told the account’s apps, kept for a day.
         * @enum {string}
         */
        source: 'provider' | 'account';
        /** @description Of a provider’s event its effect. */
        type: string;
        sender: string | null;
      }[];
      files: {
        /** @enum {string} */
        kind: 'video' | 'thumbnail' | 'image';
        /** @description The bucket and the path in it. */
        path: string;
        bytes: number | null;
        sha256: string | null;
      }[];
    };
    AdminHealth: {
      database: boolean;
      queue: {
        /** @description Tasks that are due and wait for a worker. */
        depth: number;
        /** @description How long the oldest of them has been due. */
        oldest_seconds: number;
      };
      providers: {
        name: string;
        /**
         * @description `open`: it fails, and hardly anything is sold on it.
         * @enum {string}
         */
        circuit: 'open' | 'closed';
        /**
         * Format: date-time
         * @example 2026-11-23T09:30:00.000Z
         */
        opened_at: string | null;
        /**
         * Format: date-time
         * @example 2026-11-23T09:30:00.000Z
         */
        next_try_at: string | null;
        is_simulated: boolean;
      }[];
      invariants: {
        rule: string;
        holds: boolean;
        violations: number;
        /**
         * Format: date-time
         * @description Null: not checked yet.
         * @example 2026-11-23T09:30:00.000Z
         */
        checked_at: string | null;
      }[];
    };
    AdminOverview: {
      /** @description Every day, the oldest first. */
      days: {
        /** Format: date */
        date: string;
        generations: {
          completed: number;
          failed: number;
        };
        success_rate: number;
        seconds_to_video: {
          p50: number | null;
          p95: number | null;
        };
        /** @description Credits that accounts got, by reason. */
        credits_in: {
          [key: string]: number;
        };
        /** @description Credits that accounts gave, by reason. */
        credits_out: {
          [key: string]: number;
        };
        /** @description Purchases in US dollars less their refunds; no test purchases. */
        revenue_usd: number;
        /** @description The same in other currencies, by currency; they are not converted. */
        revenue_other: {
          [key: string]: number;
        };
        /** @description What providers say that their jobs cost. */
        provider_cost_usd: number;
        /** @description How many, by code. */
        errors: {
          [key: string]: number;
        };
      }[];
      /** @description The models of these days, those with most generations first. */
      models: {
        /** Format: uuid */
        model_id: string;
        name: string;
        generations: number;
        /** @description The price of the completed ones, in credits. */
        credits: number;
        provider_cost_usd: number;
        /** @description The value of `credits` less the cost. A credit is worth what credits were sold for on these days in US dollars, on average; nothing if none were. */
        margin_usd: number;
      }[];
      /** @description What all accounts have now; debts count as nothing, in credits. */
      credits_outstanding: number;
    };
    Reports: {
      reports: {
        /** Format: uuid */
        id: string;
        /** Format: uuid */
        job_id: string;
        /**
         * Format: uuid
         * @description Whose video it is.
         */
        user_id: string;
        /** Format: uuid */
        reporter_user_id: string;
        /** @description `owner`: the reporter’s own video; `share`: a shared one. */
        source: string;
        /** @description What the reporter wrote; `[deleted]` with the reporter’s account. */
        reason: string;
        /**
         * Format: date-time
         * @example 2026-11-23T09:30:00.000Z
         */
        created_at: string;
        /**
         * Format: date-time
         * @example 2026-11-23T09:30:00.000Z
         */
        handled_at: string | null;
      }[];
      next_cursor: string | null;
    };
    Health: {
      /** @enum {string} */
      status: 'ok';
    };
    Readiness: {
      /** @enum {string} */
      status: 'ready' | 'not ready';
      checks: {
        database: boolean;
        migrations: boolean;
        worker: boolean | null;
      };
    };
  };
  responses: never;
  parameters: never;
  requestBodies: never;
  headers: {
    /** @description Identifies this request in the server’s logs. Quote it when you report a problem. */
    RequestId: string;
    /** @description The language of the message: `en`, `tr` or `es`. */
    ContentLanguage: string;
    /** @description `Bearer`; with `error="invalid_token"` if the request had a token. */
    WwwAuthenticate: string;
    /** @description The number of seconds to wait before repeating the request, if known. */
    RetryAfter: number;
    /** @description The rate limit: `"generations";q=10;w=3600` means 10 in 3600 seconds. */
    RateLimitPolicy: string;
    /** @description What is left of the limit: `"generations";r=7;t=1200` means 7 in the next 1200 seconds. */
    RateLimit: string;
    /** @description `true` if this is the stored response of an earlier request. */
    IdempotentReplay: string;
    /** @description A strong validator. Send it as `If-None-Match` to get a 304 if nothing has changed. */
    ETag: string;
    /** @description How long the response may be cached. */
    CacheControl: string;
    /** @description `bytes`: the file supports range requests. */
    AcceptRanges: string;
    /** @description The range of bytes and the size of the file, such as `bytes 0-1023/184320`. */
    ContentRange: string;
    /** @description `attachment` with a file name if the request had a `download` parameter. */
    ContentDisposition: string;
  };
  pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
  deviceCheck: {
    parameters: {
      query?: never;
      header?: {
        /** @description The language of the messages: `en`, `tr` or `es`, with q-values. Defaults to the account’s language. */
        'Accept-Language'?: string;
      };
      path?: never;
      cookie?: never;
    };
    requestBody: {
      content: {
        'application/json': {
          /** @description The app’s own id of this installation, such as `identifierForVendor`: 8 to 128 printable characters. UUIDs are case-insensitive. */
          device_id: string;
          /** @description Apple’s DeviceCheck token in base64. Omit it or send null on devices without DeviceCheck, which get an account without the initial credits. In development, the simulator accepts the base64 of `device:` and any name. */
          device_token?: string | null;
        };
      };
    };
    responses: {
      /** @description The account and its session */
      200: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          RateLimit: components['headers']['RateLimit'];
          'RateLimit-Policy': components['headers']['RateLimitPolicy'];
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "user_id": "7c9e6679-7425-40de-944b-e07fc1f90ae7",
           *       "credits_remaining": 10,
           *       "is_new": true,
           *       "session": {
           *         "access_token": "eyJhbGciOiJFUzI1NiIsImtpZCI6Ii4uLiJ9.eyJzdWIiOiI3Yzll4oCmIn0.c2lnbmF0dXJl",
           *         "token_type": "bearer",
           *         "expires_in": 3600,
           *         "expires_at": 1795429800,
           *         "refresh_token": "Jx0mB5wq2nVhQ8rT6yLk3c",
           *         "user": {
           *           "id": "7c9e6679-7425-40de-944b-e07fc1f90ae7",
           *           "aud": "authenticated",
           *           "role": "authenticated",
           *           "email": "",
           *           "phone": "",
           *           "app_metadata": {},
           *           "user_metadata": {},
           *           "identities": [],
           *           "is_anonymous": true,
           *           "last_sign_in_at": "2026-11-23T09:30:00.000Z",
           *           "created_at": "2026-11-23T09:30:00.000Z",
           *           "updated_at": "2026-11-23T09:30:00.000Z"
           *         }
           *       },
           *       "access_token": "eyJhbGciOiJFUzI1NiIsImtpZCI6Ii4uLiJ9.eyJzdWIiOiI3Yzll4oCmIn0.c2lnbmF0dXJl",
           *       "refresh_token": "Jx0mB5wq2nVhQ8rT6yLk3c"
           *     }
           */
          'application/json': components['schemas']['Onboarded'];
        };
      };
      /** @description `ERR_4006` invalid request. Do not repeat. `details.field` names what to correct, `details.allowed` what would be accepted. */
      400: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /**
       * @description `ERR_4010` device rejected. Get a new token from DeviceCheck and try once more; if that fails, make a new `device_id` (a backup may have brought this one from another device), or show the message.
       *
       *     `ERR_4013` account banned. Stop sending requests and show how to reach support.
       */
      403: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4014` too large. Send less; `details.bytes_max` is the limit in bytes. */
      413: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4015` unsupported type. Send one of the content types in `details.allowed`. */
      415: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4004` rate limit exceeded. Wait for `Retry-After` seconds (also `details.retry_after`), then repeat the same request. */
      429: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'Retry-After': components['headers']['RetryAfter'];
          RateLimit: components['headers']['RateLimit'];
          'RateLimit-Policy': components['headers']['RateLimitPolicy'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_6003` internal error. Repeat once after a few seconds, with the same `Idempotency-Key`; if that fails, report the `X-Request-Id` of the answer. */
      500: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4017` switched off by configuration. Hide the feature. The operator of the server can configure it. */
      501: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /**
       * @description `ERR_5006` external service unavailable. Repeat after about a minute. Keep the session and the tokens: they are still valid.
       *
       *     `ERR_6001` database unavailable. Repeat after a few seconds, with the same `Idempotency-Key` where there is one: it is never charged twice.
       */
      503: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'Retry-After': components['headers']['RetryAfter'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
    };
  };
  getUserProfile: {
    parameters: {
      query?: {
        /** @description Only compared with the access token. Another user’s id returns a 403. */
        user_id?: string;
      };
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description The profile */
      200: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          RateLimit: components['headers']['RateLimit'];
          'RateLimit-Policy': components['headers']['RateLimitPolicy'];
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "id": "7c9e6679-7425-40de-944b-e07fc1f90ae7",
           *       "email": null,
           *       "device_id": "my-first-phone",
           *       "apple_sub": null,
           *       "is_guest": true,
           *       "tier": "free",
           *       "credits_remaining": 10,
           *       "credits_total": 10,
           *       "initial_grant_claimed": true,
           *       "language": "en",
           *       "theme_preference": "system",
           *       "created_at": "2026-11-23T09:30:00.000Z",
           *       "updated_at": "2026-11-23T09:30:00.000Z"
           *     }
           */
          'application/json': components['schemas']['Profile'];
        };
      };
      /** @description `ERR_4006` invalid request. Do not repeat. `details.field` names what to correct, `details.allowed` what would be accepted. */
      400: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4005` unauthorized. On 401 refresh the session once and repeat; if that fails, onboard the guest again or sign in again. On 403 do not repeat: the caller is known, but not allowed. */
      401: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'WWW-Authenticate': components['headers']['WwwAuthenticate'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /**
       * @description `ERR_4005` unauthorized. On 401 refresh the session once and repeat; if that fails, onboard the guest again or sign in again. On 403 do not repeat: the caller is known, but not allowed.
       *
       *     `ERR_4013` account banned. Stop sending requests and show how to reach support.
       */
      403: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4004` rate limit exceeded. Wait for `Retry-After` seconds (also `details.retry_after`), then repeat the same request. */
      429: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'Retry-After': components['headers']['RetryAfter'];
          RateLimit: components['headers']['RateLimit'];
          'RateLimit-Policy': components['headers']['RateLimitPolicy'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_6003` internal error. Repeat once after a few seconds, with the same `Idempotency-Key`; if that fails, report the `X-Request-Id` of the answer. */
      500: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_6001` database unavailable. Repeat after a few seconds, with the same `Idempotency-Key` where there is one: it is never charged twice. */
      503: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'Retry-After': components['headers']['RetryAfter'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
    };
  };
  updateUserProfileByPost: {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody: {
      content: {
        'application/json': {
          /**
           * Format: uuid
           * @description Only compared with the access token. Another user’s id returns a 403.
           */
          user_id?: string | null;
          /** @enum {string|null} */
          language?: 'en' | 'tr' | 'es' | null;
          /** @enum {string|null} */
          theme_preference?: 'light' | 'dark' | 'system' | null;
        };
      };
    };
    responses: {
      /** @description The updated profile */
      200: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          RateLimit: components['headers']['RateLimit'];
          'RateLimit-Policy': components['headers']['RateLimitPolicy'];
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "id": "7c9e6679-7425-40de-944b-e07fc1f90ae7",
           *       "email": null,
           *       "device_id": "my-first-phone",
           *       "apple_sub": null,
           *       "is_guest": true,
           *       "tier": "free",
           *       "credits_remaining": 10,
           *       "credits_total": 10,
           *       "initial_grant_claimed": true,
           *       "language": "tr",
           *       "theme_preference": "system",
           *       "created_at": "2026-11-23T09:30:00.000Z",
           *       "updated_at": "2026-11-23T09:45:00.000Z"
           *     }
           */
          'application/json': components['schemas']['Profile'];
        };
      };
      /** @description `ERR_4006` invalid request. Do not repeat. `details.field` names what to correct, `details.allowed` what would be accepted. */
      400: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4005` unauthorized. On 401 refresh the session once and repeat; if that fails, onboard the guest again or sign in again. On 403 do not repeat: the caller is known, but not allowed. */
      401: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'WWW-Authenticate': components['headers']['WwwAuthenticate'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /**
       * @description `ERR_4005` unauthorized. On 401 refresh the session once and repeat; if that fails, onboard the guest again or sign in again. On 403 do not repeat: the caller is known, but not allowed.
       *
       *     `ERR_4013` account banned. Stop sending requests and show how to reach support.
       */
      403: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4014` too large. Send less; `details.bytes_max` is the limit in bytes. */
      413: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4015` unsupported type. Send one of the content types in `details.allowed`. */
      415: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4004` rate limit exceeded. Wait for `Retry-After` seconds (also `details.retry_after`), then repeat the same request. */
      429: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'Retry-After': components['headers']['RetryAfter'];
          RateLimit: components['headers']['RateLimit'];
          'RateLimit-Policy': components['headers']['RateLimitPolicy'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_6003` internal error. Repeat once after a few seconds, with the same `Idempotency-Key`; if that fails, report the `X-Request-Id` of the answer. */
      500: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_6001` database unavailable. Repeat after a few seconds, with the same `Idempotency-Key` where there is one: it is never charged twice. */
      503: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'Retry-After': components['headers']['RetryAfter'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
    };
  };
  updateUserProfile: {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody: {
      content: {
        'application/json': {
          /**
           * Format: uuid
           * @description Only compared with the access token. Another user’s id returns a 403.
           */
          user_id?: string | null;
          /** @enum {string|null} */
          language?: 'en' | 'tr' | 'es' | null;
          /** @enum {string|null} */
          theme_preference?: 'light' | 'dark' | 'system' | null;
        };
      };
    };
    responses: {
      /** @description The updated profile */
      200: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          RateLimit: components['headers']['RateLimit'];
          'RateLimit-Policy': components['headers']['RateLimitPolicy'];
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "id": "7c9e6679-7425-40de-944b-e07fc1f90ae7",
           *       "email": null,
           *       "device_id": "my-first-phone",
           *       "apple_sub": null,
           *       "is_guest": true,
           *       "tier": "free",
           *       "credits_remaining": 10,
           *       "credits_total": 10,
           *       "initial_grant_claimed": true,
           *       "language": "tr",
           *       "theme_preference": "system",
           *       "created_at": "2026-11-23T09:30:00.000Z",
           *       "updated_at": "2026-11-23T09:45:00.000Z"
           *     }
           */
          'application/json': components['schemas']['Profile'];
        };
      };
      /** @description `ERR_4006` invalid request. Do not repeat. `details.field` names what to correct, `details.allowed` what would be accepted. */
      400: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4005` unauthorized. On 401 refresh the session once and repeat; if that fails, onboard the guest again or sign in again. On 403 do not repeat: the caller is known, but not allowed. */
      401: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'WWW-Authenticate': components['headers']['WwwAuthenticate'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /**
       * @description `ERR_4005` unauthorized. On 401 refresh the session once and repeat; if that fails, onboard the guest again or sign in again. On 403 do not repeat: the caller is known, but not allowed.
       *
       *     `ERR_4013` account banned. Stop sending requests and show how to reach support.
       */
      403: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4014` too large. Send less; `details.bytes_max` is the limit in bytes. */
      413: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4015` unsupported type. Send one of the content types in `details.allowed`. */
      415: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4004` rate limit exceeded. Wait for `Retry-After` seconds (also `details.retry_after`), then repeat the same request. */
      429: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'Retry-After': components['headers']['RetryAfter'];
          RateLimit: components['headers']['RateLimit'];
          'RateLimit-Policy': components['headers']['RateLimitPolicy'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_6003` internal error. Repeat once after a few seconds, with the same `Idempotency-Key`; if that fails, report the `X-Request-Id` of the answer. */
      500: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_6001` database unavailable. Repeat after a few seconds, with the same `Idempotency-Key` where there is one: it is never charged twice. */
      503: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'Retry-After': components['headers']['RetryAfter'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
    };
  };
  signUpAnonymously: {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody: {
      content: {
        'application/json': {
          data?: {
            [key: string]: unknown;
          } | null;
        };
      };
    };
    responses: {
      /** @description The session */
      200: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          RateLimit: components['headers']['RateLimit'];
          'RateLimit-Policy': components['headers']['RateLimitPolicy'];
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "access_token": "eyJhbGciOiJFUzI1NiIsImtpZCI6Ii4uLiJ9.eyJzdWIiOiI3Yzll4oCmIn0.c2lnbmF0dXJl",
           *       "token_type": "bearer",
           *       "expires_in": 3600,
           *       "expires_at": 1795429800,
           *       "refresh_token": "Jx0mB5wq2nVhQ8rT6yLk3c",
           *       "user": {
           *         "id": "7c9e6679-7425-40de-944b-e07fc1f90ae7",
           *         "aud": "authenticated",
           *         "role": "authenticated",
           *         "email": "",
           *         "phone": "",
           *         "app_metadata": {},
           *         "user_metadata": {},
           *         "identities": [],
           *         "is_anonymous": true,
           *         "last_sign_in_at": "2026-11-23T09:30:00.000Z",
           *         "created_at": "2026-11-23T09:30:00.000Z",
           *         "updated_at": "2026-11-23T09:30:00.000Z"
           *       }
           *     }
           */
          'application/json': components['schemas']['Session'];
        };
      };
      /** @description `bad_json`: the body is not a JSON object, or `data` is none. `email_provider_disabled`, `phone_provider_disabled`: only anonymous accounts can be made here. */
      400: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['AuthError'];
        };
      };
      /** @description `user_banned`: the account is banned. */
      403: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['AuthError'];
        };
      };
      /** @description `request_entity_too_large`: the body is too large. Send only what is listed. */
      413: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['AuthError'];
        };
      };
      /** @description `validation_failed`: the body is not JSON. Send `application/json`. */
      415: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['AuthError'];
        };
      };
      /** @description `over_request_rate_limit`. Wait for `Retry-After` seconds. The token stays valid. */
      429: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Retry-After': components['headers']['RetryAfter'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['AuthError'];
        };
      };
      /** @description `unexpected_failure`. Retry with the same token, which stays valid. */
      500: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Retry-After': components['headers']['RetryAfter'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['AuthError'];
        };
      };
      /** @description `unexpected_failure`. Retry later with the same token, which stays valid. */
      503: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Retry-After': components['headers']['RetryAfter'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['AuthError'];
        };
      };
    };
  };
  createSession: {
    parameters: {
      query: {
        grant_type: 'refresh_token' | 'id_token';
      };
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody: {
      content: {
        'application/json': {
          refresh_token?: string | null;
          /** @description Only `apple`. */
          provider?: string | null;
          id_token?: string | null;
          /** @description The raw nonce, if the token carries one. */
          nonce?: string | null;
          link_identity?: boolean | null;
        };
      };
    };
    responses: {
      /** @description The session with its new tokens */
      200: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          RateLimit: components['headers']['RateLimit'];
          'RateLimit-Policy': components['headers']['RateLimitPolicy'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Session'];
        };
      };
      /** @description The refresh token is no longer valid: `refresh_token_not_found`, `refresh_token_already_used`, `session_expired`, `session_not_found`. Delete the session and onboard the device again. */
      400: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['AuthError'] | components['schemas']['OAuthError'];
        };
      };
      /** @description `user_banned`: the account is banned. */
      403: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['AuthError'];
        };
      };
      /** @description `flow_state_not_found`: no code of a web page is exchanged here. */
      404: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['AuthError'];
        };
      };
      /** @description `request_entity_too_large`: the body is too large. Send only what is listed. */
      413: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['AuthError'];
        };
      };
      /** @description `validation_failed`: the body is not JSON. Send `application/json`. */
      415: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['AuthError'];
        };
      };
      /** @description `identity_already_exists`: the Apple user has an account. Use `merge-guest-user`. `email_provider_disabled`, `phone_provider_disabled`: there are no passwords here. */
      422: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['AuthError'];
        };
      };
      /** @description `over_request_rate_limit`. Wait for `Retry-After` seconds. The token stays valid. */
      429: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Retry-After': components['headers']['RetryAfter'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['AuthError'];
        };
      };
      /** @description `unexpected_failure`. Retry with the same token, which stays valid. */
      500: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Retry-After': components['headers']['RetryAfter'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['AuthError'];
        };
      };
      /** @description `unexpected_failure`. Retry later with the same token, which stays valid. */
      503: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Retry-After': components['headers']['RetryAfter'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['AuthError'];
        };
      };
    };
  };
  getSigningKeys: {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description A JWK set */
      200: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Cache-Control': components['headers']['CacheControl'];
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "keys": [
           *         {
           *           "kty": "EC",
           *           "crv": "P-256",
           *           "alg": "ES256",
           *           "use": "sig",
           *           "kid": "k7Xh2mQp",
           *           "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
           *           "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"
           *         }
           *       ]
           *     }
           */
          'application/json': components['schemas']['Keys'];
        };
      };
    };
  };
  getAuthUser: {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description The account */
      200: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          RateLimit: components['headers']['RateLimit'];
          'RateLimit-Policy': components['headers']['RateLimitPolicy'];
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "id": "7c9e6679-7425-40de-944b-e07fc1f90ae7",
           *       "aud": "authenticated",
           *       "role": "authenticated",
           *       "email": "",
           *       "phone": "",
           *       "app_metadata": {},
           *       "user_metadata": {},
           *       "identities": [],
           *       "is_anonymous": true,
           *       "last_sign_in_at": "2026-11-23T09:30:00.000Z",
           *       "created_at": "2026-11-23T09:30:00.000Z",
           *       "updated_at": "2026-11-23T09:30:00.000Z"
           *     }
           */
          'application/json': components['schemas']['User'];
        };
      };
      /** @description `no_authorization`: no bearer token was sent. */
      401: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['AuthError'];
        };
      };
      /** @description `bad_jwt`, `session_not_found`, `user_not_found`, `user_banned`: the token opens nothing any more. Sign in again. */
      403: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['AuthError'];
        };
      };
      /** @description `over_request_rate_limit`. Wait for `Retry-After` seconds. */
      429: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Retry-After': components['headers']['RetryAfter'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['AuthError'];
        };
      };
      /** @description `unexpected_failure`. Retry. */
      500: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Retry-After': components['headers']['RetryAfter'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['AuthError'];
        };
      };
      /** @description `unexpected_failure`. Retry later. */
      503: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Retry-After': components['headers']['RetryAfter'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['AuthError'];
        };
      };
    };
  };
  updateAuthUser: {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody: {
      content: {
        'application/json': {
          data?: {
            [key: string]: unknown;
          } | null;
        };
      };
    };
    responses: {
      /** @description The account */
      200: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          RateLimit: components['headers']['RateLimit'];
          'RateLimit-Policy': components['headers']['RateLimitPolicy'];
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "id": "7c9e6679-7425-40de-944b-e07fc1f90ae7",
           *       "aud": "authenticated",
           *       "role": "authenticated",
           *       "email": "",
           *       "phone": "",
           *       "app_metadata": {},
           *       "user_metadata": {},
           *       "identities": [],
           *       "is_anonymous": true,
           *       "last_sign_in_at": "2026-11-23T09:30:00.000Z",
           *       "created_at": "2026-11-23T09:30:00.000Z",
           *       "updated_at": "2026-11-23T09:30:00.000Z"
           *     }
           */
          'application/json': components['schemas']['User'];
        };
      };
      /** @description `bad_json`: the body is not a JSON object, or `data` is none. */
      400: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['AuthError'];
        };
      };
      /** @description `no_authorization`: no bearer token was sent. */
      401: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['AuthError'];
        };
      };
      /** @description `bad_jwt`, `session_not_found`, `user_not_found`, `user_banned`: the token opens nothing any more. Sign in again. `not_admin`: `app_metadata` cannot be changed. */
      403: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['AuthError'];
        };
      };
      /** @description `request_entity_too_large`: too much data. */
      413: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['AuthError'];
        };
      };
      /** @description `email_provider_disabled`, `phone_provider_disabled`: only `data` can be changed. */
      422: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['AuthError'];
        };
      };
      /** @description `over_request_rate_limit`. Wait for `Retry-After` seconds. */
      429: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Retry-After': components['headers']['RetryAfter'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['AuthError'];
        };
      };
      /** @description `unexpected_failure`. Retry. */
      500: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Retry-After': components['headers']['RetryAfter'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['AuthError'];
        };
      };
      /** @description `unexpected_failure`. Retry later. */
      503: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Retry-After': components['headers']['RetryAfter'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['AuthError'];
        };
      };
    };
  };
  signOut: {
    parameters: {
      query?: {
        /** @description Which sessions end. */
        scope?: 'global' | 'local' | 'others';
      };
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description The sessions have ended */
      204: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          RateLimit: components['headers']['RateLimit'];
          'RateLimit-Policy': components['headers']['RateLimitPolicy'];
          [name: string]: unknown;
        };
        content?: never;
      };
      /** @description `validation_failed`: an unknown scope. */
      400: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['AuthError'];
        };
      };
      /** @description `no_authorization`: no bearer token was sent. */
      401: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['AuthError'];
        };
      };
      /** @description `bad_jwt`, `session_not_found`, `user_not_found`, `user_banned`: the token opens nothing any more. Sign in again. */
      403: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['AuthError'];
        };
      };
      /** @description `over_request_rate_limit`. Wait for `Retry-After` seconds. */
      429: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Retry-After': components['headers']['RetryAfter'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['AuthError'];
        };
      };
      /** @description `unexpected_failure`. Retry. */
      500: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Retry-After': components['headers']['RetryAfter'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['AuthError'];
        };
      };
      /** @description `unexpected_failure`. Retry later. */
      503: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Retry-After': components['headers']['RetryAfter'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['AuthError'];
        };
      };
    };
  };
  getAuthHealth: {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description It is up */
      200: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "version": "v2",
           *       "name": "GoTrue",
           *       "description": "The part of Supabase Auth that this server speaks"
           *     }
           */
          'application/json': {
            version: string;
            name: string;
            description: string;
          };
        };
      };
    };
  };
  getAuthSettings: {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description The settings */
      200: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "external": {
           *         "anonymous_users": true,
           *         "apple": true,
           *         "email": false,
           *         "phone": false
           *       },
           *       "disable_signup": false,
           *       "mailer_autoconfirm": false,
           *       "phone_autoconfirm": false,
           *       "sms_provider": "",
           *       "saml_enabled": false,
           *       "apple_authorize_url": null,
           *       "app_store_url": null
           *     }
           */
          'application/json': components['schemas']['AuthSettings'];
        };
      };
    };
  };
  mergeGuestUser: {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody: {
      content: {
        'application/json': {
          /**
           * Format: uuid
           * @description Only compared with the access token. Another user’s id returns a 403.
           */
          user_id?: string | null;
          /** @description The identity token of Sign in with Apple. */
          identity_token: string;
          /** @description The raw nonce, if the token carries one: the token has its SHA-256 as lower-case hex. */
          nonce?: string | null;
          /** @description Apple’s authorization code. With it the server can revoke Apple’s tokens when the account is deleted, as the App Store requires. A code that Apple refuses does not stop the merge. */
          authorization_code?: string | null;
          /** @description Only compared: another account’s returns a 403. */
          device_id?: string | null;
          /** @description Only compared with the identity token. */
          apple_sub?: string | null;
        };
      };
    };
    responses: {
      /** @description The surviving account and a new session for it */
      200: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          RateLimit: components['headers']['RateLimit'];
          'RateLimit-Policy': components['headers']['RateLimitPolicy'];
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "success": true,
           *       "user": {
           *         "id": "7c9e6679-7425-40de-944b-e07fc1f90ae7",
           *         "email": "p4ndz9q7k2@privaterelay.appleid.com",
           *         "device_id": "my-first-phone",
           *         "apple_sub": "001234.0a1b2c3d4e5f67890a1b2c3d4e5f6789.0930",
           *         "is_guest": false,
           *         "tier": "free",
           *         "credits_remaining": 10,
           *         "credits_total": 10,
           *         "initial_grant_claimed": true,
           *         "language": "en",
           *         "theme_preference": "system",
           *         "created_at": "2026-11-23T09:30:00.000Z",
           *         "updated_at": "2026-11-23T09:30:00.000Z"
           *       },
           *       "session": {
           *         "access_token": "eyJhbGciOiJFUzI1NiIsImtpZCI6Ii4uLiJ9.eyJzdWIiOiI3Yzll4oCmIn0.c2lnbmF0dXJl",
           *         "token_type": "bearer",
           *         "expires_in": 3600,
           *         "expires_at": 1795429800,
           *         "refresh_token": "Jx0mB5wq2nVhQ8rT6yLk3c",
           *         "user": {
           *           "id": "7c9e6679-7425-40de-944b-e07fc1f90ae7",
           *           "aud": "authenticated",
           *           "role": "authenticated",
           *           "email": "p4ndz9q7k2@privaterelay.appleid.com",
           *           "phone": "",
           *           "app_metadata": {
           *             "provider": "apple",
           *             "providers": [
           *               "apple"
           *             ]
           *           },
           *           "user_metadata": {},
           *           "identities": [
           *             {
           *               "identity_id": "5f0c8b1a-2d3e-4f5a-8b6c-7d8e9f0a1b2c",
           *               "id": "001234.0a1b2c3d4e5f67890a1b2c3d4e5f6789.0930",
           *               "user_id": "7c9e6679-7425-40de-944b-e07fc1f90ae7",
           *               "identity_data": {
           *                 "iss": "https://appleid.apple.com",
           *                 "sub": "001234.0a1b2c3d4e5f67890a1b2c3d4e5f6789.0930",
           *                 "email": "p4ndz9q7k2@privaterelay.appleid.com",
           *                 "email_verified": true
           *               },
           *               "provider": "apple",
           *               "email": "p4ndz9q7k2@privaterelay.appleid.com",
           *               "last_sign_in_at": "2026-11-23T09:30:00.000Z",
           *               "created_at": "2026-11-23T09:30:00.000Z",
           *               "updated_at": "2026-11-23T09:30:00.000Z"
           *             }
           *           ],
           *           "is_anonymous": false,
           *           "last_sign_in_at": "2026-11-23T09:30:00.000Z",
           *           "created_at": "2026-11-23T09:30:00.000Z",
           *           "updated_at": "2026-11-23T09:30:00.000Z",
           *           "email_confirmed_at": "2026-11-23T09:30:00.000Z",
           *           "confirmed_at": "2026-11-23T09:30:00.000Z"
           *         }
           *       }
           *     }
           */
          'application/json': components['schemas']['MergedGuest'];
        };
      };
      /** @description `ERR_4006` invalid request. Do not repeat. `details.field` names what to correct, `details.allowed` what would be accepted. */
      400: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4005` unauthorized. On 401 refresh the session once and repeat; if that fails, onboard the guest again or sign in again. On 403 do not repeat: the caller is known, but not allowed. */
      401: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'WWW-Authenticate': components['headers']['WwwAuthenticate'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /**
       * @description `ERR_4005` unauthorized. On 401 refresh the session once and repeat; if that fails, onboard the guest again or sign in again. On 403 do not repeat: the caller is known, but not allowed.
       *
       *     `ERR_4013` account banned. Stop sending requests and show how to reach support.
       */
      403: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4008` conflict with the current state. Read the current state and decide again. With `Retry-After`, repeat the same request after that many seconds. */
      409: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'Retry-After': components['headers']['RetryAfter'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4014` too large. Send less; `details.bytes_max` is the limit in bytes. */
      413: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4015` unsupported type. Send one of the content types in `details.allowed`. */
      415: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4004` rate limit exceeded. Wait for `Retry-After` seconds (also `details.retry_after`), then repeat the same request. */
      429: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'Retry-After': components['headers']['RetryAfter'];
          RateLimit: components['headers']['RateLimit'];
          'RateLimit-Policy': components['headers']['RateLimitPolicy'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_6003` internal error. Repeat once after a few seconds, with the same `Idempotency-Key`; if that fails, report the `X-Request-Id` of the answer. */
      500: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4017` switched off by configuration. Hide the feature. The operator of the server can configure it. */
      501: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /**
       * @description `ERR_5006` external service unavailable. Repeat after about a minute. Keep the session and the tokens: they are still valid.
       *
       *     `ERR_6001` database unavailable. Repeat after a few seconds, with the same `Idempotency-Key` where there is one: it is never charged twice.
       */
      503: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'Retry-After': components['headers']['RetryAfter'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
    };
  };
  getSessions: {
    parameters: {
      query?: {
        /** @description Only compared with the access token. Another user’s id returns a 403. */
        user_id?: string;
      };
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description The sessions */
      200: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          RateLimit: components['headers']['RateLimit'];
          'RateLimit-Policy': components['headers']['RateLimitPolicy'];
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "sessions": [
           *         {
           *           "id": "0c9d8e7f-6a5b-4c3d-8e2f-1a0b9c8d7e6f",
           *           "created_at": "2026-11-23T09:30:00.000Z",
           *           "refreshed_at": "2026-11-23T09:30:00.000Z",
           *           "is_current": true
           *         }
           *       ]
           *     }
           */
          'application/json': components['schemas']['Sessions'];
        };
      };
      /** @description `ERR_4006` invalid request. Do not repeat. `details.field` names what to correct, `details.allowed` what would be accepted. */
      400: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4005` unauthorized. On 401 refresh the session once and repeat; if that fails, onboard the guest again or sign in again. On 403 do not repeat: the caller is known, but not allowed. */
      401: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'WWW-Authenticate': components['headers']['WwwAuthenticate'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /**
       * @description `ERR_4005` unauthorized. On 401 refresh the session once and repeat; if that fails, onboard the guest again or sign in again. On 403 do not repeat: the caller is known, but not allowed.
       *
       *     `ERR_4013` account banned. Stop sending requests and show how to reach support.
       */
      403: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4004` rate limit exceeded. Wait for `Retry-After` seconds (also `details.retry_after`), then repeat the same request. */
      429: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'Retry-After': components['headers']['RetryAfter'];
          RateLimit: components['headers']['RateLimit'];
          'RateLimit-Policy': components['headers']['RateLimitPolicy'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_6003` internal error. Repeat once after a few seconds, with the same `Idempotency-Key`; if that fails, report the `X-Request-Id` of the answer. */
      500: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_6001` database unavailable. Repeat after a few seconds, with the same `Idempotency-Key` where there is one: it is never charged twice. */
      503: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'Retry-After': components['headers']['RetryAfter'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
    };
  };
  revokeSession: {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody: {
      content: {
        'application/json': {
          /**
           * Format: uuid
           * @description Only compared with the access token. Another user’s id returns a 403.
           */
          user_id?: string | null;
          /**
           * Format: uuid
           * @example 3f2504e0-4f89-41d3-9a0c-0305e82c3301
           */
          session_id: string;
        };
      };
    };
    responses: {
      /** @description The session has ended */
      200: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          RateLimit: components['headers']['RateLimit'];
          'RateLimit-Policy': components['headers']['RateLimitPolicy'];
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "success": true
           *     }
           */
          'application/json': components['schemas']['Done'];
        };
      };
      /** @description `ERR_4006` invalid request. Do not repeat. `details.field` names what to correct, `details.allowed` what would be accepted. */
      400: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4005` unauthorized. On 401 refresh the session once and repeat; if that fails, onboard the guest again or sign in again. On 403 do not repeat: the caller is known, but not allowed. */
      401: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'WWW-Authenticate': components['headers']['WwwAuthenticate'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /**
       * @description `ERR_4005` unauthorized. On 401 refresh the session once and repeat; if that fails, onboard the guest again or sign in again. On 403 do not repeat: the caller is known, but not allowed.
       *
       *     `ERR_4013` account banned. Stop sending requests and show how to reach support.
       */
      403: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4007` not found, or not yours. Do not repeat. Remove the object from your list and read the list again. */
      404: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4014` too large. Send less; `details.bytes_max` is the limit in bytes. */
      413: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4015` unsupported type. Send one of the content types in `details.allowed`. */
      415: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4004` rate limit exceeded. Wait for `Retry-After` seconds (also `details.retry_after`), then repeat the same request. */
      429: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'Retry-After': components['headers']['RetryAfter'];
          RateLimit: components['headers']['RateLimit'];
          'RateLimit-Policy': components['headers']['RateLimitPolicy'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_6003` internal error. Repeat once after a few seconds, with the same `Idempotency-Key`; if that fails, report the `X-Request-Id` of the answer. */
      500: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_6001` database unavailable. Repeat after a few seconds, with the same `Idempotency-Key` where there is one: it is never charged twice. */
      503: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'Retry-After': components['headers']['RetryAfter'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
    };
  };
  exportAccount: {
    parameters: {
      query?: {
        /** @description Only compared with the access token. Another user’s id returns a 403. */
        user_id?: string;
      };
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description The document */
      200: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          RateLimit: components['headers']['RateLimit'];
          'RateLimit-Policy': components['headers']['RateLimitPolicy'];
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "exported_at": "2026-11-23T10:00:00.000Z",
           *       "user": {
           *         "id": "7c9e6679-7425-40de-944b-e07fc1f90ae7",
           *         "email": "p4ndz9q7k2@privaterelay.appleid.com"
           *       },
           *       "jobs": [],
           *       "transactions": [],
           *       "purchases": [],
           *       "uploads": [],
           *       "sessions": [
           *         {
           *           "id": "0c9d8e7f-6a5b-4c3d-8e2f-1a0b9c8d7e6f",
           *           "created_at": "2026-11-23T09:30:00.000Z",
           *           "refreshed_at": "2026-11-23T09:30:00.000Z",
           *           "is_current": true
           *         }
           *       ]
           *     }
           */
          'application/json': components['schemas']['ExportedAccount'];
        };
      };
      /** @description `ERR_4006` invalid request. Do not repeat. `details.field` names what to correct, `details.allowed` what would be accepted. */
      400: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4005` unauthorized. On 401 refresh the session once and repeat; if that fails, onboard the guest again or sign in again. On 403 do not repeat: the caller is known, but not allowed. */
      401: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'WWW-Authenticate': components['headers']['WwwAuthenticate'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /**
       * @description `ERR_4005` unauthorized. On 401 refresh the session once and repeat; if that fails, onboard the guest again or sign in again. On 403 do not repeat: the caller is known, but not allowed.
       *
       *     `ERR_4013` account banned. Stop sending requests and show how to reach support.
       */
      403: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4004` rate limit exceeded. Wait for `Retry-After` seconds (also `details.retry_after`), then repeat the same request. */
      429: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'Retry-After': components['headers']['RetryAfter'];
          RateLimit: components['headers']['RateLimit'];
          'RateLimit-Policy': components['headers']['RateLimitPolicy'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_6003` internal error. Repeat once after a few seconds, with the same `Idempotency-Key`; if that fails, report the `X-Request-Id` of the answer. */
      500: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_6001` database unavailable. Repeat after a few seconds, with the same `Idempotency-Key` where there is one: it is never charged twice. */
      503: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'Retry-After': components['headers']['RetryAfter'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
    };
  };
  deleteAccount: {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: {
      content: {
        'application/json': {
          /**
           * Format: uuid
           * @description Only compared with the access token. Another user’s id returns a 403.
           */
          user_id?: string | null;
        };
      };
    };
    responses: {
      /** @description The account is deleted */
      200: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          RateLimit: components['headers']['RateLimit'];
          'RateLimit-Policy': components['headers']['RateLimitPolicy'];
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "success": true
           *     }
           */
          'application/json': components['schemas']['Done'];
        };
      };
      /** @description `ERR_4006` invalid request. Do not repeat. `details.field` names what to correct, `details.allowed` what would be accepted. */
      400: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4005` unauthorized. On 401 refresh the session once and repeat; if that fails, onboard the guest again or sign in again. On 403 do not repeat: the caller is known, but not allowed. */
      401: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'WWW-Authenticate': components['headers']['WwwAuthenticate'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /**
       * @description `ERR_4005` unauthorized. On 401 refresh the session once and repeat; if that fails, onboard the guest again or sign in again. On 403 do not repeat: the caller is known, but not allowed.
       *
       *     `ERR_4013` account banned. Stop sending requests and show how to reach support.
       */
      403: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4014` too large. Send less; `details.bytes_max` is the limit in bytes. */
      413: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4015` unsupported type. Send one of the content types in `details.allowed`. */
      415: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4004` rate limit exceeded. Wait for `Retry-After` seconds (also `details.retry_after`), then repeat the same request. */
      429: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'Retry-After': components['headers']['RetryAfter'];
          RateLimit: components['headers']['RateLimit'];
          'RateLimit-Policy': components['headers']['RateLimitPolicy'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_6003` internal error. Repeat once after a few seconds, with the same `Idempotency-Key`; if that fails, report the `X-Request-Id` of the answer. */
      500: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_6001` database unavailable. Repeat after a few seconds, with the same `Idempotency-Key` where there is one: it is never charged twice. */
      503: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'Retry-After': components['headers']['RetryAfter'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
    };
  };
  appleAccountNotifications: {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody: {
      content: {
        'application/json': {
          /** @description A JSON Web Token that Apple has signed. */
          payload: string;
        };
      };
    };
    responses: {
      /** @description The notification is recorded */
      200: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "success": true
           *     }
           */
          'application/json': components['schemas']['Done'];
        };
      };
      /** @description `ERR_4006` invalid request. Do not repeat. `details.field` names what to correct, `details.allowed` what would be accepted. */
      400: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4005` unauthorized. On 401 refresh the session once and repeat; if that fails, onboard the guest again or sign in again. On 403 do not repeat: the caller is known, but not allowed. */
      401: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'WWW-Authenticate': components['headers']['WwwAuthenticate'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4005` unauthorized. On 401 refresh the session once and repeat; if that fails, onboard the guest again or sign in again. On 403 do not repeat: the caller is known, but not allowed. */
      403: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4014` too large. Send less; `details.bytes_max` is the limit in bytes. */
      413: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4015` unsupported type. Send one of the content types in `details.allowed`. */
      415: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_6003` internal error. Repeat once after a few seconds, with the same `Idempotency-Key`; if that fails, report the `X-Request-Id` of the answer. */
      500: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4017` switched off by configuration. Hide the feature. The operator of the server can configure it. */
      501: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /**
       * @description `ERR_5006` external service unavailable. Repeat after about a minute. Keep the session and the tokens: they are still valid.
       *
       *     `ERR_6001` database unavailable. Repeat after a few seconds, with the same `Idempotency-Key` where there is one: it is never charged twice.
       */
      503: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'Retry-After': components['headers']['RetryAfter'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
    };
  };
  getUserCredits: {
    parameters: {
      query?: {
        /** @description Only compared with the access token. Another user’s id returns a 403. */
        user_id?: string;
      };
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description The balance */
      200: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          RateLimit: components['headers']['RateLimit'];
          'RateLimit-Policy': components['headers']['RateLimitPolicy'];
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "credits_remaining": 9
           *     }
           */
          'application/json': components['schemas']['Balance'];
        };
      };
      /** @description `ERR_4006` invalid request. Do not repeat. `details.field` names what to correct, `details.allowed` what would be accepted. */
      400: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4005` unauthorized. On 401 refresh the session once and repeat; if that fails, onboard the guest again or sign in again. On 403 do not repeat: the caller is known, but not allowed. */
      401: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'WWW-Authenticate': components['headers']['WwwAuthenticate'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /**
       * @description `ERR_4005` unauthorized. On 401 refresh the session once and repeat; if that fails, onboard the guest again or sign in again. On 403 do not repeat: the caller is known, but not allowed.
       *
       *     `ERR_4013` account banned. Stop sending requests and show how to reach support.
       */
      403: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4004` rate limit exceeded. Wait for `Retry-After` seconds (also `details.retry_after`), then repeat the same request. */
      429: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'Retry-After': components['headers']['RetryAfter'];
          RateLimit: components['headers']['RateLimit'];
          'RateLimit-Policy': components['headers']['RateLimitPolicy'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_6003` internal error. Repeat once after a few seconds, with the same `Idempotency-Key`; if that fails, report the `X-Request-Id` of the answer. */
      500: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_6001` database unavailable. Repeat after a few seconds, with the same `Idempotency-Key` where there is one: it is never charged twice. */
      503: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'Retry-After': components['headers']['RetryAfter'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
    };
  };
  getCreditHistory: {
    parameters: {
      query?: {
        /** @description Only compared with the access token. Another user’s id returns a 403. */
        user_id?: string;
        /** @description The maximum number of items to return. */
        limit?: number;
        /** @description The `next_cursor` of the previous page. */
        cursor?: string;
      };
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description A page of the ledger */
      200: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          RateLimit: components['headers']['RateLimit'];
          'RateLimit-Policy': components['headers']['RateLimitPolicy'];
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "transactions": [
           *         {
           *           "id": "d1f0c2a4-6b1e-4c0f-9b7a-0d2f3e4a5b6c",
           *           "change": -1,
           *           "reason": "video_generation",
           *           "balance_after": 9,
           *           "job_id": "9b2f8f3c-5f0e-4b8e-9d0e-2a6c1f7d4e55",
           *           "created_at": "2026-11-23T09:31:00.000Z"
           *         },
           *         {
           *           "id": "a0b1c2d3-e4f5-4a6b-8c7d-9e0f1a2b3c4d",
           *           "change": 10,
           *           "reason": "initial_grant",
           *           "balance_after": 10,
           *           "job_id": null,
           *           "created_at": "2026-11-23T09:30:00.000Z"
           *         }
           *       ],
           *       "next_cursor": null
           *     }
           */
          'application/json': components['schemas']['Transactions'];
        };
      };
      /** @description `ERR_4006` invalid request. Do not repeat. `details.field` names what to correct, `details.allowed` what would be accepted. */
      400: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4005` unauthorized. On 401 refresh the session once and repeat; if that fails, onboard the guest again or sign in again. On 403 do not repeat: the caller is known, but not allowed. */
      401: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'WWW-Authenticate': components['headers']['WwwAuthenticate'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /**
       * @description `ERR_4005` unauthorized. On 401 refresh the session once and repeat; if that fails, onboard the guest again or sign in again. On 403 do not repeat: the caller is known, but not allowed.
       *
       *     `ERR_4013` account banned. Stop sending requests and show how to reach support.
       */
      403: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4004` rate limit exceeded. Wait for `Retry-After` seconds (also `details.retry_after`), then repeat the same request. */
      429: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'Retry-After': components['headers']['RetryAfter'];
          RateLimit: components['headers']['RateLimit'];
          'RateLimit-Policy': components['headers']['RateLimitPolicy'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_6003` internal error. Repeat once after a few seconds, with the same `Idempotency-Key`; if that fails, report the `X-Request-Id` of the answer. */
      500: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_6001` database unavailable. Repeat after a few seconds, with the same `Idempotency-Key` where there is one: it is never charged twice. */
      503: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'Retry-After': components['headers']['RetryAfter'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
    };
  };
  adminExplainBalance: {
    parameters: {
      query: {
        /** @description The account, or a guest that was merged into it. */
        user_id: string;
        /** @description A `next_cursor`: of the page before, or of a lot. */
        cursor?: string;
      };
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description The balance, its lots and the rules */
      200: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          RateLimit: components['headers']['RateLimit'];
          'RateLimit-Policy': components['headers']['RateLimitPolicy'];
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "user_id": "7c9e6679-7425-40de-944b-e07fc1f90ae7",
           *       "balance": 6,
           *       "lots": [
           *         {
           *           "lot_id": "c56a4180-65aa-42ec-a945-5fd21dec0538",
           *           "source": "initial_grant",
           *           "amount": 10,
           *           "remaining": 6,
           *           "expires_at": null,
           *           "created_at": "2026-11-23T09:30:00.000Z",
           *           "transaction_id": null,
           *           "movements": [
           *             {
           *               "job_id": "9b2f8f3c-5f0e-4b8e-9d0e-2a6c1f7d4e55",
           *               "change": -4,
           *               "at": "2026-11-23T09:31:00.000Z"
           *             }
           *           ],
           *           "next_cursor": null
           *         }
           *       ],
           *       "rules": [
           *         {
           *           "rule": "a balance equals the sum of its ledger rows",
           *           "holds": true
           *         }
           *       ],
           *       "next_cursor": null
           *     }
           */
          'application/json': components['schemas']['AdminExplainedBalance'];
        };
      };
      /** @description `ERR_4006` invalid request. Do not repeat. `details.field` names what to correct, `details.allowed` what would be accepted. */
      400: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4005` unauthorized. On 401 refresh the session once and repeat; if that fails, onboard the guest again or sign in again. On 403 do not repeat: the caller is known, but not allowed. */
      401: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'WWW-Authenticate': components['headers']['WwwAuthenticate'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4005` unauthorized. On 401 refresh the session once and repeat; if that fails, onboard the guest again or sign in again. On 403 do not repeat: the caller is known, but not allowed. */
      403: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4007` not found, or not yours. Do not repeat. Remove the object from your list and read the list again. */
      404: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4004` rate limit exceeded. Wait for `Retry-After` seconds (also `details.retry_after`), then repeat the same request. */
      429: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'Retry-After': components['headers']['RetryAfter'];
          RateLimit: components['headers']['RateLimit'];
          'RateLimit-Policy': components['headers']['RateLimitPolicy'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_6003` internal error. Repeat once after a few seconds, with the same `Idempotency-Key`; if that fails, report the `X-Request-Id` of the answer. */
      500: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_6001` database unavailable. Repeat after a few seconds, with the same `Idempotency-Key` where there is one: it is never charged twice. */
      503: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'Retry-After': components['headers']['RetryAfter'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
    };
  };
  redeemCode: {
    parameters: {
      query?: never;
      header?: {
        /** @description A UUID that the client creates, with or without double quotes. With it, a repeat returns the first response. */
        'Idempotency-Key'?: string;
      };
      path?: never;
      cookie?: never;
    };
    requestBody: {
      content: {
        'application/json': {
          /**
           * Format: uuid
           * @description Only compared with the access token. Another user’s id returns a 403.
           */
          user_id?: string | null;
          /**
           * @description The code as the user typed it: 4 to 40 letters and digits. Case, dashes and spaces do not matter.
           * @example SUMMER-2026
           */
          code: string;
        };
      };
    };
    responses: {
      /** @description The credits that were added, and the balance */
      200: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          RateLimit: components['headers']['RateLimit'];
          'RateLimit-Policy': components['headers']['RateLimitPolicy'];
          'X-Idempotent-Replay': components['headers']['IdempotentReplay'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Redeemed'];
        };
      };
      /**
       * @description `ERR_4006` invalid request. Do not repeat. `details.field` names what to correct, `details.allowed` what would be accepted.
       *
       *     `ERR_4018` code unknown, expired or used up. Show the message beside the field and let the user correct the code. Do not repeat it unchanged: only some wrong codes per hour are answered.
       */
      400: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4005` unauthorized. On 401 refresh the session once and repeat; if that fails, onboard the guest again or sign in again. On 403 do not repeat: the caller is known, but not allowed. */
      401: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'WWW-Authenticate': components['headers']['WwwAuthenticate'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /**
       * @description `ERR_4005` unauthorized. On 401 refresh the session once and repeat; if that fails, onboard the guest again or sign in again. On 403 do not repeat: the caller is known, but not allowed.
       *
       *     `ERR_4013` account banned. Stop sending requests and show how to reach support.
       */
      403: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4014` too large. Send less; `details.bytes_max` is the limit in bytes. */
      413: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4015` unsupported type. Send one of the content types in `details.allowed`. */
      415: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4009` idempotency key used for another request. A bug in the client: use a new `Idempotency-Key` for each new request, and the same key only for retries. */
      422: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4004` rate limit exceeded. Wait for `Retry-After` seconds (also `details.retry_after`), then repeat the same request. */
      429: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'Retry-After': components['headers']['RetryAfter'];
          RateLimit: components['headers']['RateLimit'];
          'RateLimit-Policy': components['headers']['RateLimitPolicy'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_6003` internal error. Repeat once after a few seconds, with the same `Idempotency-Key`; if that fails, report the `X-Request-Id` of the answer. */
      500: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_6001` database unavailable. Repeat after a few seconds, with the same `Idempotency-Key` where there is one: it is never charged twice. */
      503: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'Retry-After': components['headers']['RetryAfter'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
    };
  };
  getModels: {
    parameters: {
      query?: never;
      header?: {
        /** @description The `ETag` of the cached copy. */
        'If-None-Match'?: string;
      };
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description The available models: featured first, then by name */
      200: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          ETag: components['headers']['ETag'];
          'Cache-Control': components['headers']['CacheControl'];
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "models": [
           *         {
           *           "id": "3f2504e0-4f89-41d3-9a0c-0305e82c3301",
           *           "name": "Cinematic",
           *           "category": "cinematic",
           *           "description": "Cinematic scenes with realistic light and motion. Our highest video quality.",
           *           "cost_per_generation": 4,
           *           "pricing": {
           *             "credits": 1,
           *             "per_seconds": 1
           *           },
           *           "provider": "fal",
           *           "provider_model_id": "fal-ai/veo3.1",
           *           "is_simulated": false,
           *           "is_featured": true,
           *           "is_available": true,
           *           "requires_image": false,
           *           "prompt_max": 2000,
           *           "thumbnail_url": null,
           *           "settings_schema": {
           *             "$schema": "https://json-schema.org/draft/2020-12/schema",
           *             "type": "object",
           *             "properties": {
           *               "duration": {
           *                 "type": "integer",
           *                 "enum": [
           *                   4,
           *                   6,
           *                   8
           *                 ],
           *                 "default": 4
           *               },
           *               "resolution": {
           *                 "type": "string",
           *                 "enum": [
           *                   "720p",
           *                   "1080p"
           *                 ],
           *                 "default": "720p"
           *               },
           *               "aspect_ratio": {
           *                 "type": "string",
           *                 "enum": [
           *                   "16:9",
           *                   "9:16"
           *                 ],
           *                 "default": "16:9"
           *               },
           *               "audio": {
           *                 "type": "boolean",
           *                 "default": false
           *               }
           *             }
           *           },
           *           "created_at": "2026-11-23T09:30:00.000Z"
           *         }
           *       ]
           *     }
           */
          'application/json': components['schemas']['Models'];
        };
      };
      /** @description Nothing has changed since the `ETag` in `If-None-Match` */
      304: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          ETag: components['headers']['ETag'];
          'Cache-Control': components['headers']['CacheControl'];
          [name: string]: unknown;
        };
        content?: never;
      };
      /** @description `ERR_6003` internal error. Repeat once after a few seconds, with the same `Idempotency-Key`; if that fails, report the `X-Request-Id` of the answer. */
      500: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_6001` database unavailable. Repeat after a few seconds, with the same `Idempotency-Key` where there is one: it is never charged twice. */
      503: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'Retry-After': components['headers']['RetryAfter'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
    };
  };
  getProducts: {
    parameters: {
      query?: {
        /** @description Only compared with the access token. Another user’s id returns a 403. */
        user_id?: string;
      };
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description The products on sale */
      200: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          RateLimit: components['headers']['RateLimit'];
          'RateLimit-Policy': components['headers']['RateLimitPolicy'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Products'];
        };
      };
      /** @description `ERR_4006` invalid request. Do not repeat. `details.field` names what to correct, `details.allowed` what would be accepted. */
      400: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4005` unauthorized. On 401 refresh the session once and repeat; if that fails, onboard the guest again or sign in again. On 403 do not repeat: the caller is known, but not allowed. */
      401: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'WWW-Authenticate': components['headers']['WwwAuthenticate'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /**
       * @description `ERR_4005` unauthorized. On 401 refresh the session once and repeat; if that fails, onboard the guest again or sign in again. On 403 do not repeat: the caller is known, but not allowed.
       *
       *     `ERR_4013` account banned. Stop sending requests and show how to reach support.
       */
      403: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4004` rate limit exceeded. Wait for `Retry-After` seconds (also `details.retry_after`), then repeat the same request. */
      429: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'Retry-After': components['headers']['RetryAfter'];
          RateLimit: components['headers']['RateLimit'];
          'RateLimit-Policy': components['headers']['RateLimitPolicy'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_6003` internal error. Repeat once after a few seconds, with the same `Idempotency-Key`; if that fails, report the `X-Request-Id` of the answer. */
      500: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_6001` database unavailable. Repeat after a few seconds, with the same `Idempotency-Key` where there is one: it is never charged twice. */
      503: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'Retry-After': components['headers']['RetryAfter'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
    };
  };
  generateVideo: {
    parameters: {
      query?: never;
      header: {
        /** @description A UUID that the client creates, with or without double quotes. Requests with the same key are never charged twice. */
        'Idempotency-Key': string;
      };
      path?: never;
      cookie?: never;
    };
    requestBody: {
      content: {
        'application/json': {
          /**
           * Format: uuid
           * @description Only compared with the access token. Another user’s id returns a 403.
           */
          user_id?: string | null;
          /**
           * Format: uuid
           * @description The `id` of a model from `get-models`.
           * @example 3f2504e0-4f89-41d3-9a0c-0305e82c3301
           */
          model_id: string;
          /**
           * @description What the video should show: from 3 characters to the model’s `prompt_max`, after trimming.
           * @example a cat playing piano
           */
          prompt: string;
          /** @description Settings of the model’s `settings_schema`. Settings that are left out take their defaults. */
          settings?: {
            [key: string]: unknown;
          } | null;
          /** @description For models that need an image: an image that the caller has uploaded to `user_uploads`, as its path or any of its URLs. Its shorter side must have at least 256 pixels, and its longer side at most 2.4 times as many. */
          image_url?: string | null;
        };
      };
    };
    responses: {
      /** @description The job, charged and started */
      200: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          RateLimit: components['headers']['RateLimit'];
          'RateLimit-Policy': components['headers']['RateLimitPolicy'];
          'X-Idempotent-Replay': components['headers']['IdempotentReplay'];
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "job_id": "9b2f8f3c-5f0e-4b8e-9d0e-2a6c1f7d4e55",
           *       "status": "pending",
           *       "credits_used": 4
           *     }
           */
          'application/json': components['schemas']['GenerationStarted'];
        };
      };
      /**
       * @description `ERR_4006` invalid request. Do not repeat. `details.field` names what to correct, `details.allowed` what would be accepted.
       *
       *     `ERR_4002` invalid, unknown or unavailable model. Read `get-models` again and let the user choose another model.
       *
       *     `ERR_4003` invalid prompt. Keep the prompt between 3 characters and the model's `prompt_max`; show the message beside the field. `details.reason` is `policy` for a prompt that the operator does not allow.
       */
      400: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4005` unauthorized. On 401 refresh the session once and repeat; if that fails, onboard the guest again or sign in again. On 403 do not repeat: the caller is known, but not allowed. */
      401: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'WWW-Authenticate': components['headers']['WwwAuthenticate'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4001` insufficient credits. Offer the purchase screen; `details` hold what was `required` and what is `available`. Nothing was charged. */
      402: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /**
       * @description `ERR_4005` unauthorized. On 401 refresh the session once and repeat; if that fails, onboard the guest again or sign in again. On 403 do not repeat: the caller is known, but not allowed.
       *
       *     `ERR_4013` account banned. Stop sending requests and show how to reach support.
       */
      403: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4008` conflict with the current state. Read the current state and decide again. With `Retry-After`, repeat the same request after that many seconds. */
      409: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'Retry-After': components['headers']['RetryAfter'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4014` too large. Send less; `details.bytes_max` is the limit in bytes. */
      413: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4015` unsupported type. Send one of the content types in `details.allowed`. */
      415: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4009` idempotency key used for another request. A bug in the client: use a new `Idempotency-Key` for each new request, and the same key only for retries. */
      422: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4004` rate limit exceeded. Wait for `Retry-After` seconds (also `details.retry_after`), then repeat the same request. */
      429: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'Retry-After': components['headers']['RetryAfter'];
          RateLimit: components['headers']['RateLimit'];
          'RateLimit-Policy': components['headers']['RateLimitPolicy'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_6003` internal error. Repeat once after a few seconds, with the same `Idempotency-Key`; if that fails, report the `X-Request-Id` of the answer. */
      500: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_5002` provider unavailable. The user was not charged. Offer another model, or try again later. */
      502: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /**
       * @description `ERR_4019` paused by the operator. Nothing was charged. Repeat the same request after `Retry-After` seconds, with the same `Idempotency-Key`. Videos that were already paid for are finished meanwhile.
       *
       *     `ERR_5006` external service unavailable. Repeat after about a minute. Keep the session and the tokens: they are still valid.
       *
       *     `ERR_6001` database unavailable. Repeat after a few seconds, with the same `Idempotency-Key` where there is one: it is never charged twice.
       */
      503: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'Retry-After': components['headers']['RetryAfter'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
    };
  };
  getVideoStatus: {
    parameters: {
      query: {
        /** @description Only compared with the access token. Another user’s id returns a 403. */
        user_id?: string;
        /** @description The `job_id` that `generate-video` returned. */
        job_id: string;
      };
      header?: {
        /** @description The language of the messages: `en`, `tr` or `es`, with q-values. Defaults to the account’s language. */
        'Accept-Language'?: string;
      };
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description The job */
      200: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          RateLimit: components['headers']['RateLimit'];
          'RateLimit-Policy': components['headers']['RateLimitPolicy'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['VideoJob'];
        };
      };
      /** @description `ERR_4006` invalid request. Do not repeat. `details.field` names what to correct, `details.allowed` what would be accepted. */
      400: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4005` unauthorized. On 401 refresh the session once and repeat; if that fails, onboard the guest again or sign in again. On 403 do not repeat: the caller is known, but not allowed. */
      401: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'WWW-Authenticate': components['headers']['WwwAuthenticate'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /**
       * @description `ERR_4005` unauthorized. On 401 refresh the session once and repeat; if that fails, onboard the guest again or sign in again. On 403 do not repeat: the caller is known, but not allowed.
       *
       *     `ERR_4013` account banned. Stop sending requests and show how to reach support.
       */
      403: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4007` not found, or not yours. Do not repeat. Remove the object from your list and read the list again. */
      404: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4004` rate limit exceeded. Wait for `Retry-After` seconds (also `details.retry_after`), then repeat the same request. */
      429: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'Retry-After': components['headers']['RetryAfter'];
          RateLimit: components['headers']['RateLimit'];
          'RateLimit-Policy': components['headers']['RateLimitPolicy'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_6003` internal error. Repeat once after a few seconds, with the same `Idempotency-Key`; if that fails, report the `X-Request-Id` of the answer. */
      500: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_6001` database unavailable. Repeat after a few seconds, with the same `Idempotency-Key` where there is one: it is never charged twice. */
      503: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'Retry-After': components['headers']['RetryAfter'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
    };
  };
  checkVideoJobStatus: {
    parameters: {
      query: {
        /** @description Only compared with the access token. Another user’s id returns a 403. */
        user_id?: string;
        /** @description The `job_id` that `generate-video` returned. */
        job_id: string;
      };
      header?: {
        /** @description The language of the messages: `en`, `tr` or `es`, with q-values. Defaults to the account’s language. */
        'Accept-Language'?: string;
      };
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description The job */
      200: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          RateLimit: components['headers']['RateLimit'];
          'RateLimit-Policy': components['headers']['RateLimitPolicy'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['VideoJob'];
        };
      };
      /** @description `ERR_4006` invalid request. Do not repeat. `details.field` names what to correct, `details.allowed` what would be accepted. */
      400: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4005` unauthorized. On 401 refresh the session once and repeat; if that fails, onboard the guest again or sign in again. On 403 do not repeat: the caller is known, but not allowed. */
      401: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'WWW-Authenticate': components['headers']['WwwAuthenticate'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /**
       * @description `ERR_4005` unauthorized. On 401 refresh the session once and repeat; if that fails, onboard the guest again or sign in again. On 403 do not repeat: the caller is known, but not allowed.
       *
       *     `ERR_4013` account banned. Stop sending requests and show how to reach support.
       */
      403: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4007` not found, or not yours. Do not repeat. Remove the object from your list and read the list again. */
      404: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4004` rate limit exceeded. Wait for `Retry-After` seconds (also `details.retry_after`), then repeat the same request. */
      429: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'Retry-After': components['headers']['RetryAfter'];
          RateLimit: components['headers']['RateLimit'];
          'RateLimit-Policy': components['headers']['RateLimitPolicy'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_6003` internal error. Repeat once after a few seconds, with the same `Idempotency-Key`; if that fails, report the `X-Request-Id` of the answer. */
      500: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_6001` database unavailable. Repeat after a few seconds, with the same `Idempotency-Key` where there is one: it is never charged twice. */
      503: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'Retry-After': components['headers']['RetryAfter'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
    };
  };
  getVideoJobs: {
    parameters: {
      query?: {
        /** @description Only compared with the access token. Another user’s id returns a 403. */
        user_id?: string;
        /** @description The maximum number of items to return. */
        limit?: number;
        /** @description The number of items to skip. For small lists; prefer `cursor`. */
        offset?: number;
        /** @description The `next_cursor` of the previous page. */
        cursor?: string;
        /** @description `pending` → `processing` → `completed` or `failed`. The last two are final. */
        status?: components['schemas']['JobStatus'];
      };
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description A page of jobs */
      200: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          RateLimit: components['headers']['RateLimit'];
          'RateLimit-Policy': components['headers']['RateLimitPolicy'];
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "jobs": [
           *         {
           *           "job_id": "9b2f8f3c-5f0e-4b8e-9d0e-2a6c1f7d4e55",
           *           "prompt": "a cat playing piano",
           *           "model_id": "3f2504e0-4f89-41d3-9a0c-0305e82c3301",
           *           "model_name": "Cinematic",
           *           "settings": {
           *             "duration": 4,
           *             "resolution": "720p",
           *             "aspect_ratio": "9:16",
           *             "audio": false
           *           },
           *           "image_url": null,
           *           "credits_used": 4,
           *           "status": "completed",
           *           "error_code": null,
           *           "video_url": "http://localhost:8787/storage/v1/object/sign/videos/7c9e6679-7425-40de-944b-e07fc1f90ae7/2026-11/9b2f8f3c-5f0e-4b8e-9d0e-2a6c1f7d4e55.mp4?token=1795516200.q0Zb3xw1mH8sY2dKcV7nR5tLgE9aJ4uP6iO0fXyZ1bQ",
           *           "thumbnail_url": "http://localhost:8787/storage/v1/object/sign/thumbnails/7c9e6679-7425-40de-944b-e07fc1f90ae7/2026-11/9b2f8f3c-5f0e-4b8e-9d0e-2a6c1f7d4e55.jpg?token=1795516200.q0Zb3xw1mH8sY2dKcV7nR5tLgE9aJ4uP6iO0fXyZ1bQ",
           *           "created_at": "2026-11-23T09:31:00.000Z"
           *         }
           *       ],
           *       "total": 21,
           *       "has_more": true,
           *       "next_cursor": "MTg0"
           *     }
           */
          'application/json': components['schemas']['VideoJobs'];
        };
      };
      /** @description `ERR_4006` invalid request. Do not repeat. `details.field` names what to correct, `details.allowed` what would be accepted. */
      400: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4005` unauthorized. On 401 refresh the session once and repeat; if that fails, onboard the guest again or sign in again. On 403 do not repeat: the caller is known, but not allowed. */
      401: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'WWW-Authenticate': components['headers']['WwwAuthenticate'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /**
       * @description `ERR_4005` unauthorized. On 401 refresh the session once and repeat; if that fails, onboard the guest again or sign in again. On 403 do not repeat: the caller is known, but not allowed.
       *
       *     `ERR_4013` account banned. Stop sending requests and show how to reach support.
       */
      403: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4004` rate limit exceeded. Wait for `Retry-After` seconds (also `details.retry_after`), then repeat the same request. */
      429: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'Retry-After': components['headers']['RetryAfter'];
          RateLimit: components['headers']['RateLimit'];
          'RateLimit-Policy': components['headers']['RateLimitPolicy'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_6003` internal error. Repeat once after a few seconds, with the same `Idempotency-Key`; if that fails, report the `X-Request-Id` of the answer. */
      500: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_6001` database unavailable. Repeat after a few seconds, with the same `Idempotency-Key` where there is one: it is never charged twice. */
      503: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'Retry-After': components['headers']['RetryAfter'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
    };
  };
  cancelVideoJob: {
    parameters: {
      query?: never;
      header?: {
        /** @description A UUID that the client creates, with or without double quotes. With it, a repeat returns the first response. */
        'Idempotency-Key'?: string;
      };
      path?: never;
      cookie?: never;
    };
    requestBody: {
      content: {
        'application/json': {
          /**
           * Format: uuid
           * @description Only compared with the access token. Another user’s id returns a 403.
           */
          user_id?: string | null;
          /**
           * Format: uuid
           * @description The `job_id` that `generate-video` returned.
           * @example 9b2f8f3c-5f0e-4b8e-9d0e-2a6c1f7d4e55
           */
          job_id: string;
        };
      };
    };
    responses: {
      /** @description The refunded credits and the balance */
      200: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          RateLimit: components['headers']['RateLimit'];
          'RateLimit-Policy': components['headers']['RateLimitPolicy'];
          'X-Idempotent-Replay': components['headers']['IdempotentReplay'];
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "success": true,
           *       "refunded": 4,
           *       "credits_remaining": 10
           *     }
           */
          'application/json': components['schemas']['Cancelled'];
        };
      };
      /** @description `ERR_4006` invalid request. Do not repeat. `details.field` names what to correct, `details.allowed` what would be accepted. */
      400: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4005` unauthorized. On 401 refresh the session once and repeat; if that fails, onboard the guest again or sign in again. On 403 do not repeat: the caller is known, but not allowed. */
      401: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'WWW-Authenticate': components['headers']['WwwAuthenticate'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /**
       * @description `ERR_4005` unauthorized. On 401 refresh the session once and repeat; if that fails, onboard the guest again or sign in again. On 403 do not repeat: the caller is known, but not allowed.
       *
       *     `ERR_4013` account banned. Stop sending requests and show how to reach support.
       */
      403: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4007` not found, or not yours. Do not repeat. Remove the object from your list and read the list again. */
      404: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4008` conflict with the current state. Read the current state and decide again. With `Retry-After`, repeat the same request after that many seconds. */
      409: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'Retry-After': components['headers']['RetryAfter'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4014` too large. Send less; `details.bytes_max` is the limit in bytes. */
      413: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4015` unsupported type. Send one of the content types in `details.allowed`. */
      415: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4009` idempotency key used for another request. A bug in the client: use a new `Idempotency-Key` for each new request, and the same key only for retries. */
      422: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4004` rate limit exceeded. Wait for `Retry-After` seconds (also `details.retry_after`), then repeat the same request. */
      429: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'Retry-After': components['headers']['RetryAfter'];
          RateLimit: components['headers']['RateLimit'];
          'RateLimit-Policy': components['headers']['RateLimitPolicy'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_6003` internal error. Repeat once after a few seconds, with the same `Idempotency-Key`; if that fails, report the `X-Request-Id` of the answer. */
      500: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_6001` database unavailable. Repeat after a few seconds, with the same `Idempotency-Key` where there is one: it is never charged twice. */
      503: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'Retry-After': components['headers']['RetryAfter'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
    };
  };
  deleteVideoJob: {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody: {
      content: {
        'application/json': {
          /**
           * Format: uuid
           * @description Only compared with the access token. Another user’s id returns a 403.
           */
          user_id?: string | null;
          /**
           * Format: uuid
           * @description The `job_id` that `generate-video` returned.
           * @example 9b2f8f3c-5f0e-4b8e-9d0e-2a6c1f7d4e55
           */
          job_id: string;
        };
      };
    };
    responses: {
      /** @description The job is deleted */
      200: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          RateLimit: components['headers']['RateLimit'];
          'RateLimit-Policy': components['headers']['RateLimitPolicy'];
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "success": true
           *     }
           */
          'application/json': components['schemas']['Removed'];
        };
      };
      /** @description `ERR_4006` invalid request. Do not repeat. `details.field` names what to correct, `details.allowed` what would be accepted. */
      400: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4005` unauthorized. On 401 refresh the session once and repeat; if that fails, onboard the guest again or sign in again. On 403 do not repeat: the caller is known, but not allowed. */
      401: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'WWW-Authenticate': components['headers']['WwwAuthenticate'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /**
       * @description `ERR_4005` unauthorized. On 401 refresh the session once and repeat; if that fails, onboard the guest again or sign in again. On 403 do not repeat: the caller is known, but not allowed.
       *
       *     `ERR_4013` account banned. Stop sending requests and show how to reach support.
       */
      403: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4007` not found, or not yours. Do not repeat. Remove the object from your list and read the list again. */
      404: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4008` conflict with the current state. Read the current state and decide again. With `Retry-After`, repeat the same request after that many seconds. */
      409: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'Retry-After': components['headers']['RetryAfter'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4014` too large. Send less; `details.bytes_max` is the limit in bytes. */
      413: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4015` unsupported type. Send one of the content types in `details.allowed`. */
      415: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4004` rate limit exceeded. Wait for `Retry-After` seconds (also `details.retry_after`), then repeat the same request. */
      429: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'Retry-After': components['headers']['RetryAfter'];
          RateLimit: components['headers']['RateLimit'];
          'RateLimit-Policy': components['headers']['RateLimitPolicy'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_6003` internal error. Repeat once after a few seconds, with the same `Idempotency-Key`; if that fails, report the `X-Request-Id` of the answer. */
      500: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_6001` database unavailable. Repeat after a few seconds, with the same `Idempotency-Key` where there is one: it is never charged twice. */
      503: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'Retry-After': components['headers']['RetryAfter'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
    };
  };
  deleteVideoJobByDelete: {
    parameters: {
      query?: {
        /** @description Only compared with the access token. Another user’s id returns a 403. */
        user_id?: string;
        /** @description The `job_id` that `generate-video` returned. */
        job_id?: string;
      };
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: {
      content: {
        'application/json': {
          /**
           * Format: uuid
           * @description Only compared with the access token. Another user’s id returns a 403.
           */
          user_id?: string | null;
          /**
           * Format: uuid
           * @description The `job_id` that `generate-video` returned.
           * @example 9b2f8f3c-5f0e-4b8e-9d0e-2a6c1f7d4e55
           */
          job_id?: string | null;
        };
      };
    };
    responses: {
      /** @description The job is deleted */
      200: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          RateLimit: components['headers']['RateLimit'];
          'RateLimit-Policy': components['headers']['RateLimitPolicy'];
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "success": true
           *     }
           */
          'application/json': components['schemas']['Removed'];
        };
      };
      /** @description `ERR_4006` invalid request. Do not repeat. `details.field` names what to correct, `details.allowed` what would be accepted. */
      400: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4005` unauthorized. On 401 refresh the session once and repeat; if that fails, onboard the guest again or sign in again. On 403 do not repeat: the caller is known, but not allowed. */
      401: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'WWW-Authenticate': components['headers']['WwwAuthenticate'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /**
       * @description `ERR_4005` unauthorized. On 401 refresh the session once and repeat; if that fails, onboard the guest again or sign in again. On 403 do not repeat: the caller is known, but not allowed.
       *
       *     `ERR_4013` account banned. Stop sending requests and show how to reach support.
       */
      403: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4007` not found, or not yours. Do not repeat. Remove the object from your list and read the list again. */
      404: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4008` conflict with the current state. Read the current state and decide again. With `Retry-After`, repeat the same request after that many seconds. */
      409: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'Retry-After': components['headers']['RetryAfter'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4014` too large. Send less; `details.bytes_max` is the limit in bytes. */
      413: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4015` unsupported type. Send one of the content types in `details.allowed`. */
      415: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4004` rate limit exceeded. Wait for `Retry-After` seconds (also `details.retry_after`), then repeat the same request. */
      429: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'Retry-After': components['headers']['RetryAfter'];
          RateLimit: components['headers']['RateLimit'];
          'RateLimit-Policy': components['headers']['RateLimitPolicy'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_6003` internal error. Repeat once after a few seconds, with the same `Idempotency-Key`; if that fails, report the `X-Request-Id` of the answer. */
      500: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_6001` database unavailable. Repeat after a few seconds, with the same `Idempotency-Key` where there is one: it is never charged twice. */
      503: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'Retry-After': components['headers']['RetryAfter'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
    };
  };
  shareVideo: {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody: {
      content: {
        'application/json': {
          /**
           * Format: uuid
           * @description Only compared with the access token. Another user’s id returns a 403.
           */
          user_id?: string | null;
          /**
           * Format: uuid
           * @description One of the caller’s jobs.
           * @example 9b2f8f3c-5f0e-4b8e-9d0e-2a6c1f7d4e55
           */
          job_id: string;
          /** @description Whether the link’s page shows the prompt. Default: false, also in a repeat. */
          with_prompt?: boolean | null;
        };
      };
    };
    responses: {
      /** @description The link */
      200: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          RateLimit: components['headers']['RateLimit'];
          'RateLimit-Policy': components['headers']['RateLimitPolicy'];
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "url": "http://localhost:8787/v/q0Zb3xw1mH8sY2dKcV7nRg"
           *     }
           */
          'application/json': components['schemas']['Shared'];
        };
      };
      /** @description `ERR_4006` invalid request. Do not repeat. `details.field` names what to correct, `details.allowed` what would be accepted. */
      400: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4005` unauthorized. On 401 refresh the session once and repeat; if that fails, onboard the guest again or sign in again. On 403 do not repeat: the caller is known, but not allowed. */
      401: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'WWW-Authenticate': components['headers']['WwwAuthenticate'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /**
       * @description `ERR_4005` unauthorized. On 401 refresh the session once and repeat; if that fails, onboard the guest again or sign in again. On 403 do not repeat: the caller is known, but not allowed.
       *
       *     `ERR_4013` account banned. Stop sending requests and show how to reach support.
       */
      403: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4007` not found, or not yours. Do not repeat. Remove the object from your list and read the list again. */
      404: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4008` conflict with the current state. Read the current state and decide again. With `Retry-After`, repeat the same request after that many seconds. */
      409: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'Retry-After': components['headers']['RetryAfter'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4014` too large. Send less; `details.bytes_max` is the limit in bytes. */
      413: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4015` unsupported type. Send one of the content types in `details.allowed`. */
      415: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4004` rate limit exceeded. Wait for `Retry-After` seconds (also `details.retry_after`), then repeat the same request. */
      429: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'Retry-After': components['headers']['RetryAfter'];
          RateLimit: components['headers']['RateLimit'];
          'RateLimit-Policy': components['headers']['RateLimitPolicy'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_6003` internal error. Repeat once after a few seconds, with the same `Idempotency-Key`; if that fails, report the `X-Request-Id` of the answer. */
      500: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_6001` database unavailable. Repeat after a few seconds, with the same `Idempotency-Key` where there is one: it is never charged twice. */
      503: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'Retry-After': components['headers']['RetryAfter'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
    };
  };
  unshareVideo: {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody: {
      content: {
        'application/json': {
          /**
           * Format: uuid
           * @description Only compared with the access token. Another user’s id returns a 403.
           */
          user_id?: string | null;
          /**
           * Format: uuid
           * @description One of the caller’s jobs.
           * @example 9b2f8f3c-5f0e-4b8e-9d0e-2a6c1f7d4e55
           */
          job_id: string;
        };
      };
    };
    responses: {
      /** @description The video is not shared */
      200: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          RateLimit: components['headers']['RateLimit'];
          'RateLimit-Policy': components['headers']['RateLimitPolicy'];
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "success": true
           *     }
           */
          'application/json': {
            /** @enum {boolean} */
            success: true;
          };
        };
      };
      /** @description `ERR_4006` invalid request. Do not repeat. `details.field` names what to correct, `details.allowed` what would be accepted. */
      400: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4005` unauthorized. On 401 refresh the session once and repeat; if that fails, onboard the guest again or sign in again. On 403 do not repeat: the caller is known, but not allowed. */
      401: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'WWW-Authenticate': components['headers']['WwwAuthenticate'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /**
       * @description `ERR_4005` unauthorized. On 401 refresh the session once and repeat; if that fails, onboard the guest again or sign in again. On 403 do not repeat: the caller is known, but not allowed.
       *
       *     `ERR_4013` account banned. Stop sending requests and show how to reach support.
       */
      403: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4007` not found, or not yours. Do not repeat. Remove the object from your list and read the list again. */
      404: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4014` too large. Send less; `details.bytes_max` is the limit in bytes. */
      413: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4015` unsupported type. Send one of the content types in `details.allowed`. */
      415: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4004` rate limit exceeded. Wait for `Retry-After` seconds (also `details.retry_after`), then repeat the same request. */
      429: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'Retry-After': components['headers']['RetryAfter'];
          RateLimit: components['headers']['RateLimit'];
          'RateLimit-Policy': components['headers']['RateLimitPolicy'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_6003` internal error. Repeat once after a few seconds, with the same `Idempotency-Key`; if that fails, report the `X-Request-Id` of the answer. */
      500: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_6001` database unavailable. Repeat after a few seconds, with the same `Idempotency-Key` where there is one: it is never charged twice. */
      503: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'Retry-After': components['headers']['RetryAfter'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
    };
  };
  reportVideo: {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody: {
      content: {
        'application/json': {
          /**
           * Format: uuid
           * @description Only compared with the access token. Another user’s id returns a 403.
           */
          user_id?: string | null;
          /**
           * Format: uuid
           * @description One of the caller’s own jobs.
           * @example 3f2504e0-4f89-41d3-9a0c-0305e82c3301
           */
          job_id?: string | null;
          /** @description Instead of `job_id`: the last segment of a shared video’s URL. */
          share_token?: string | null;
          /** @description What is wrong with it; for the operator alone. */
          reason: string;
        };
      };
    };
    responses: {
      /** @description The report is stored */
      200: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          RateLimit: components['headers']['RateLimit'];
          'RateLimit-Policy': components['headers']['RateLimitPolicy'];
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "success": true
           *     }
           */
          'application/json': {
            /** @enum {boolean} */
            success: true;
          };
        };
      };
      /** @description `ERR_4006` invalid request. Do not repeat. `details.field` names what to correct, `details.allowed` what would be accepted. */
      400: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4005` unauthorized. On 401 refresh the session once and repeat; if that fails, onboard the guest again or sign in again. On 403 do not repeat: the caller is known, but not allowed. */
      401: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'WWW-Authenticate': components['headers']['WwwAuthenticate'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /**
       * @description `ERR_4005` unauthorized. On 401 refresh the session once and repeat; if that fails, onboard the guest again or sign in again. On 403 do not repeat: the caller is known, but not allowed.
       *
       *     `ERR_4013` account banned. Stop sending requests and show how to reach support.
       */
      403: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4007` not found, or not yours. Do not repeat. Remove the object from your list and read the list again. */
      404: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4014` too large. Send less; `details.bytes_max` is the limit in bytes. */
      413: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4015` unsupported type. Send one of the content types in `details.allowed`. */
      415: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4004` rate limit exceeded. Wait for `Retry-After` seconds (also `details.retry_after`), then repeat the same request. */
      429: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'Retry-After': components['headers']['RetryAfter'];
          RateLimit: components['headers']['RateLimit'];
          'RateLimit-Policy': components['headers']['RateLimitPolicy'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_6003` internal error. Repeat once after a few seconds, with the same `Idempotency-Key`; if that fails, report the `X-Request-Id` of the answer. */
      500: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_6001` database unavailable. Repeat after a few seconds, with the same `Idempotency-Key` where there is one: it is never charged twice. */
      503: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'Retry-After': components['headers']['RetryAfter'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
    };
  };
  updateCredits: {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody: {
      content: {
        'application/json': components['schemas']['UpdateCreditsRequest'];
      };
    };
    responses: {
      /** @description The purchase is credited */
      200: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          RateLimit: components['headers']['RateLimit'];
          'RateLimit-Policy': components['headers']['RateLimitPolicy'];
          'X-Idempotent-Replay': components['headers']['IdempotentReplay'];
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "success": true,
           *       "credits_added": 50,
           *       "credits_remaining": 59,
           *       "total_credits": 59
           *     }
           */
          'application/json': components['schemas']['CreditedPurchase'];
        };
      };
      /**
       * @description `ERR_4006` invalid request. Do not repeat. `details.field` names what to correct, `details.allowed` what would be accepted.
       *
       *     `ERR_4011` purchase invalid. Finish the transaction: it will never be credited; `details.reason` says why. Only if the reason is `product` or `unknown`, keep it unfinished and report it again later. Show how to reach support.
       */
      400: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4005` unauthorized. On 401 refresh the session once and repeat; if that fails, onboard the guest again or sign in again. On 403 do not repeat: the caller is known, but not allowed. */
      401: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'WWW-Authenticate': components['headers']['WwwAuthenticate'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /**
       * @description `ERR_4005` unauthorized. On 401 refresh the session once and repeat; if that fails, onboard the guest again or sign in again. On 403 do not repeat: the caller is known, but not allowed.
       *
       *     `ERR_4013` account banned. Stop sending requests and show how to reach support.
       */
      403: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4012` purchase belongs to another account. Finish the transaction. Tell the user to sign in to the account that bought it, if it is theirs. */
      409: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'Retry-After': components['headers']['RetryAfter'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4014` too large. Send less; `details.bytes_max` is the limit in bytes. */
      413: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4015` unsupported type. Send one of the content types in `details.allowed`. */
      415: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4009` idempotency key used for another request. A bug in the client: use a new `Idempotency-Key` for each new request, and the same key only for retries. */
      422: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4004` rate limit exceeded. Wait for `Retry-After` seconds (also `details.retry_after`), then repeat the same request. */
      429: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'Retry-After': components['headers']['RetryAfter'];
          RateLimit: components['headers']['RateLimit'];
          'RateLimit-Policy': components['headers']['RateLimitPolicy'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_6003` internal error. Repeat once after a few seconds, with the same `Idempotency-Key`; if that fails, report the `X-Request-Id` of the answer. */
      500: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4017` switched off by configuration. Hide the feature. The operator of the server can configure it. */
      501: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /**
       * @description `ERR_5006` external service unavailable. Repeat after about a minute. Keep the session and the tokens: they are still valid.
       *
       *     `ERR_6001` database unavailable. Repeat after a few seconds, with the same `Idempotency-Key` where there is one: it is never charged twice.
       */
      503: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'Retry-After': components['headers']['RetryAfter'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
    };
  };
  appleServerNotifications: {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody: {
      content: {
        'application/json': components['schemas']['AppStoreServerNotification'];
      };
    };
    responses: {
      /** @description The notification is recorded */
      200: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "success": true
           *     }
           */
          'application/json': {
            /** @enum {boolean} */
            success: true;
          };
        };
      };
      /** @description `ERR_4006` invalid request. Do not repeat. `details.field` names what to correct, `details.allowed` what would be accepted. */
      400: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4005` unauthorized. On 401 refresh the session once and repeat; if that fails, onboard the guest again or sign in again. On 403 do not repeat: the caller is known, but not allowed. */
      401: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'WWW-Authenticate': components['headers']['WwwAuthenticate'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4005` unauthorized. On 401 refresh the session once and repeat; if that fails, onboard the guest again or sign in again. On 403 do not repeat: the caller is known, but not allowed. */
      403: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4014` too large. Send less; `details.bytes_max` is the limit in bytes. */
      413: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4015` unsupported type. Send one of the content types in `details.allowed`. */
      415: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_6003` internal error. Repeat once after a few seconds, with the same `Idempotency-Key`; if that fails, report the `X-Request-Id` of the answer. */
      500: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4017` switched off by configuration. Hide the feature. The operator of the server can configure it. */
      501: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /**
       * @description `ERR_5006` external service unavailable. Repeat after about a minute. Keep the session and the tokens: they are still valid.
       *
       *     `ERR_6001` database unavailable. Repeat after a few seconds, with the same `Idempotency-Key` where there is one: it is never charged twice.
       */
      503: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'Retry-After': components['headers']['RetryAfter'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
    };
  };
  createCheckout: {
    parameters: {
      query?: never;
      header?: {
        /** @description A UUID that the client creates, with or without double quotes. */
        'Idempotency-Key'?: string;
      };
      path?: never;
      cookie?: never;
    };
    requestBody: {
      content: {
        'application/json': {
          /**
           * Format: uuid
           * @description Only compared with the access token. Another user’s id returns a 403.
           */
          user_id?: string | null;
          /**
           * @description A product that has a price in the web shop.
           * @example com.rendio.credits.10
           */
          product_id: string;
          /** @description How many of it; 1 by default. */
          quantity?: number | null;
        };
      };
    };
    responses: {
      /** @description Where the user pays */
      200: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          RateLimit: components['headers']['RateLimit'];
          'RateLimit-Policy': components['headers']['RateLimitPolicy'];
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "url": "https://checkout.stripe.com/c/pay/cs_live_a1b2c3"
           *     }
           */
          'application/json': components['schemas']['Checkout'];
        };
      };
      /** @description `ERR_4006` invalid request. Do not repeat. `details.field` names what to correct, `details.allowed` what would be accepted. */
      400: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4005` unauthorized. On 401 refresh the session once and repeat; if that fails, onboard the guest again or sign in again. On 403 do not repeat: the caller is known, but not allowed. */
      401: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'WWW-Authenticate': components['headers']['WwwAuthenticate'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /**
       * @description `ERR_4005` unauthorized. On 401 refresh the session once and repeat; if that fails, onboard the guest again or sign in again. On 403 do not repeat: the caller is known, but not allowed.
       *
       *     `ERR_4013` account banned. Stop sending requests and show how to reach support.
       */
      403: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4014` too large. Send less; `details.bytes_max` is the limit in bytes. */
      413: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4015` unsupported type. Send one of the content types in `details.allowed`. */
      415: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4009` idempotency key used for another request. A bug in the client: use a new `Idempotency-Key` for each new request, and the same key only for retries. */
      422: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4004` rate limit exceeded. Wait for `Retry-After` seconds (also `details.retry_after`), then repeat the same request. */
      429: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'Retry-After': components['headers']['RetryAfter'];
          RateLimit: components['headers']['RateLimit'];
          'RateLimit-Policy': components['headers']['RateLimitPolicy'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_6003` internal error. Repeat once after a few seconds, with the same `Idempotency-Key`; if that fails, report the `X-Request-Id` of the answer. */
      500: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4017` switched off by configuration. Hide the feature. The operator of the server can configure it. */
      501: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /**
       * @description `ERR_5006` external service unavailable. Repeat after about a minute. Keep the session and the tokens: they are still valid.
       *
       *     `ERR_6001` database unavailable. Repeat after a few seconds, with the same `Idempotency-Key` where there is one: it is never charged twice.
       */
      503: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'Retry-After': components['headers']['RetryAfter'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
    };
  };
  stripeWebhook: {
    parameters: {
      query?: never;
      header: {
        /** @description Stripe’s own signature, at most five minutes old. */
        'Stripe-Signature': string;
      };
      path?: never;
      cookie?: never;
    };
    requestBody: {
      content: {
        'application/json': components['schemas']['StripeEvent'];
      };
    };
    responses: {
      /** @description The event is recorded */
      200: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "success": true
           *     }
           */
          'application/json': components['schemas']['StripeReceived'];
        };
      };
      /** @description `ERR_4006` invalid request. Do not repeat. `details.field` names what to correct, `details.allowed` what would be accepted. */
      400: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4005` unauthorized. On 401 refresh the session once and repeat; if that fails, onboard the guest again or sign in again. On 403 do not repeat: the caller is known, but not allowed. */
      401: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'WWW-Authenticate': components['headers']['WwwAuthenticate'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4005` unauthorized. On 401 refresh the session once and repeat; if that fails, onboard the guest again or sign in again. On 403 do not repeat: the caller is known, but not allowed. */
      403: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4014` too large. Send less; `details.bytes_max` is the limit in bytes. */
      413: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_6003` internal error. Repeat once after a few seconds, with the same `Idempotency-Key`; if that fails, report the `X-Request-Id` of the answer. */
      500: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4017` switched off by configuration. Hide the feature. The operator of the server can configure it. */
      501: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_6001` database unavailable. Repeat after a few seconds, with the same `Idempotency-Key` where there is one: it is never charged twice. */
      503: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'Retry-After': components['headers']['RetryAfter'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
    };
  };
  listObjects: {
    parameters: {
      query?: never;
      header?: never;
      path: {
        bucket: 'videos' | 'thumbnails' | 'user_uploads';
      };
      cookie?: never;
    };
    requestBody: {
      content: {
        'application/json': components['schemas']['ListObjects'];
      };
    };
    responses: {
      /** @description The files and folders */
      200: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          RateLimit: components['headers']['RateLimit'];
          'RateLimit-Policy': components['headers']['RateLimitPolicy'];
          [name: string]: unknown;
        };
        content: {
          /**
           * @example [
           *       {
           *         "name": "portrait.jpg",
           *         "id": "c56a4180-65aa-42ec-a945-5fd21dec0538",
           *         "updated_at": "2026-11-23T09:30:00.000Z",
           *         "created_at": "2026-11-23T09:30:00.000Z",
           *         "last_accessed_at": "2026-11-23T09:30:00.000Z",
           *         "metadata": {
           *           "size": 184320,
           *           "contentLength": 184320,
           *           "mimetype": "image/jpeg",
           *           "eTag": "\"9f86d081884c7d659a2feaa0c55ad015\"",
           *           "cacheControl": "private, max-age=0",
           *           "lastModified": "2026-11-23T09:30:00.000Z"
           *         }
           *       }
           *     ]
           */
          'application/json': components['schemas']['ObjectEntries'];
        };
      };
      /** @description `ERR_4006` invalid request. Do not repeat. `details.field` names what to correct, `details.allowed` what would be accepted. */
      400: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4005` unauthorized. On 401 refresh the session once and repeat; if that fails, onboard the guest again or sign in again. On 403 do not repeat: the caller is known, but not allowed. */
      401: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'WWW-Authenticate': components['headers']['WwwAuthenticate'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /**
       * @description `ERR_4005` unauthorized. On 401 refresh the session once and repeat; if that fails, onboard the guest again or sign in again. On 403 do not repeat: the caller is known, but not allowed.
       *
       *     `ERR_4013` account banned. Stop sending requests and show how to reach support.
       */
      403: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4007` not found, or not yours. Do not repeat. Remove the object from your list and read the list again. */
      404: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4014` too large. Send less; `details.bytes_max` is the limit in bytes. */
      413: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4015` unsupported type. Send one of the content types in `details.allowed`. */
      415: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4004` rate limit exceeded. Wait for `Retry-After` seconds (also `details.retry_after`), then repeat the same request. */
      429: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'Retry-After': components['headers']['RetryAfter'];
          RateLimit: components['headers']['RateLimit'];
          'RateLimit-Policy': components['headers']['RateLimitPolicy'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_6003` internal error. Repeat once after a few seconds, with the same `Idempotency-Key`; if that fails, report the `X-Request-Id` of the answer. */
      500: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_6001` database unavailable. Repeat after a few seconds, with the same `Idempotency-Key` where there is one: it is never charged twice. */
      503: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'Retry-After': components['headers']['RetryAfter'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
    };
  };
  getObjectInfo: {
    parameters: {
      query?: never;
      header?: never;
      path: {
        bucket: 'videos' | 'thumbnails' | 'user_uploads';
        /** @description The path `<user_id>/…`, whose slashes are part of the URL. Names consist of letters, digits, spaces and the characters `. _ - ! ' ( ) * + , : ; = @ & $`. */
        path: string;
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description Information about the file */
      200: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          RateLimit: components['headers']['RateLimit'];
          'RateLimit-Policy': components['headers']['RateLimitPolicy'];
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "id": "c56a4180-65aa-42ec-a945-5fd21dec0538",
           *       "name": "7c9e6679-7425-40de-944b-e07fc1f90ae7/portrait.jpg",
           *       "bucket_id": "user_uploads",
           *       "version": "c56a4180-65aa-42ec-a945-5fd21dec0538",
           *       "size": 184320,
           *       "metadata": {},
           *       "content_type": "image/jpeg",
           *       "cache_control": "private, max-age=0",
           *       "etag": "\"9f86d081884c7d659a2feaa0c55ad015\"",
           *       "last_modified": "2026-11-23T09:30:00.000Z",
           *       "created_at": "2026-11-23T09:30:00.000Z"
           *     }
           */
          'application/json': components['schemas']['ObjectInfo'];
        };
      };
      /** @description `ERR_4006` invalid request. Do not repeat. `details.field` names what to correct, `details.allowed` what would be accepted. */
      400: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4005` unauthorized. On 401 refresh the session once and repeat; if that fails, onboard the guest again or sign in again. On 403 do not repeat: the caller is known, but not allowed. */
      401: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'WWW-Authenticate': components['headers']['WwwAuthenticate'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /**
       * @description `ERR_4005` unauthorized. On 401 refresh the session once and repeat; if that fails, onboard the guest again or sign in again. On 403 do not repeat: the caller is known, but not allowed.
       *
       *     `ERR_4013` account banned. Stop sending requests and show how to reach support.
       */
      403: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4007` not found, or not yours. Do not repeat. Remove the object from your list and read the list again. */
      404: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4004` rate limit exceeded. Wait for `Retry-After` seconds (also `details.retry_after`), then repeat the same request. */
      429: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'Retry-After': components['headers']['RetryAfter'];
          RateLimit: components['headers']['RateLimit'];
          'RateLimit-Policy': components['headers']['RateLimitPolicy'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_6003` internal error. Repeat once after a few seconds, with the same `Idempotency-Key`; if that fails, report the `X-Request-Id` of the answer. */
      500: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /**
       * @description `ERR_6002` storage unavailable. Repeat after a few seconds, with the same `Idempotency-Key` where there is one: it is never charged twice.
       *
       *     `ERR_6001` database unavailable. Repeat after a few seconds, with the same `Idempotency-Key` where there is one: it is never charged twice.
       */
      503: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'Retry-After': components['headers']['RetryAfter'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
    };
  };
  downloadAuthenticated: {
    parameters: {
      query?: never;
      header?: {
        /** @description A part of the file, such as `bytes=0-1023`. */
        Range?: string;
        /** @description The `ETag` of the file that the range belongs to. */
        'If-Range'?: string;
        /** @description The `ETag` of the cached copy. */
        'If-None-Match'?: string;
      };
      path: {
        bucket: 'videos' | 'thumbnails' | 'user_uploads';
        /** @description The path `<user_id>/…`, whose slashes are part of the URL. Names consist of letters, digits, spaces and the characters `. _ - ! ' ( ) * + , : ; = @ & $`. */
        path: string;
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description The file */
      200: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Accept-Ranges': components['headers']['AcceptRanges'];
          ETag: components['headers']['ETag'];
          'Cache-Control': components['headers']['CacheControl'];
          'Content-Disposition': components['headers']['ContentDisposition'];
          [name: string]: unknown;
        };
        content: {
          'image/jpeg': string;
          'image/png': string;
          'image/webp': string;
          'video/mp4': string;
        };
      };
      /** @description The requested range */
      206: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Accept-Ranges': components['headers']['AcceptRanges'];
          ETag: components['headers']['ETag'];
          'Cache-Control': components['headers']['CacheControl'];
          'Content-Disposition': components['headers']['ContentDisposition'];
          'Content-Range': components['headers']['ContentRange'];
          [name: string]: unknown;
        };
        content: {
          'image/jpeg': string;
          'image/png': string;
          'image/webp': string;
          'video/mp4': string;
        };
      };
      /** @description The cached copy is still current */
      304: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Accept-Ranges': components['headers']['AcceptRanges'];
          ETag: components['headers']['ETag'];
          'Cache-Control': components['headers']['CacheControl'];
          'Content-Disposition': components['headers']['ContentDisposition'];
          [name: string]: unknown;
        };
        content?: never;
      };
      /** @description `ERR_4006` invalid request. Do not repeat. `details.field` names what to correct, `details.allowed` what would be accepted. */
      400: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4005` unauthorized. On 401 refresh the session once and repeat; if that fails, onboard the guest again or sign in again. On 403 do not repeat: the caller is known, but not allowed. */
      401: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'WWW-Authenticate': components['headers']['WwwAuthenticate'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /**
       * @description `ERR_4005` unauthorized. On 401 refresh the session once and repeat; if that fails, onboard the guest again or sign in again. On 403 do not repeat: the caller is known, but not allowed.
       *
       *     `ERR_4013` account banned. Stop sending requests and show how to reach support.
       */
      403: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4007` not found, or not yours. Do not repeat. Remove the object from your list and read the list again. */
      404: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The range is outside the file */
      416: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Range': components['headers']['ContentRange'];
          [name: string]: unknown;
        };
        content?: never;
      };
      /** @description `ERR_4004` rate limit exceeded. Wait for `Retry-After` seconds (also `details.retry_after`), then repeat the same request. */
      429: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'Retry-After': components['headers']['RetryAfter'];
          RateLimit: components['headers']['RateLimit'];
          'RateLimit-Policy': components['headers']['RateLimitPolicy'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_6003` internal error. Repeat once after a few seconds, with the same `Idempotency-Key`; if that fails, report the `X-Request-Id` of the answer. */
      500: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /**
       * @description `ERR_6002` storage unavailable. Repeat after a few seconds, with the same `Idempotency-Key` where there is one: it is never charged twice.
       *
       *     `ERR_6001` database unavailable. Repeat after a few seconds, with the same `Idempotency-Key` where there is one: it is never charged twice.
       */
      503: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'Retry-After': components['headers']['RetryAfter'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
    };
  };
  downloadObject: {
    parameters: {
      query?: never;
      header?: {
        /** @description A part of the file, such as `bytes=0-1023`. */
        Range?: string;
        /** @description The `ETag` of the file that the range belongs to. */
        'If-Range'?: string;
        /** @description The `ETag` of the cached copy. */
        'If-None-Match'?: string;
      };
      path: {
        bucket: 'videos' | 'thumbnails' | 'user_uploads';
        /** @description The path `<user_id>/…`, whose slashes are part of the URL. Names consist of letters, digits, spaces and the characters `. _ - ! ' ( ) * + , : ; = @ & $`. */
        path: string;
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description The file */
      200: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Accept-Ranges': components['headers']['AcceptRanges'];
          ETag: components['headers']['ETag'];
          'Cache-Control': components['headers']['CacheControl'];
          'Content-Disposition': components['headers']['ContentDisposition'];
          [name: string]: unknown;
        };
        content: {
          'image/jpeg': string;
          'image/png': string;
          'image/webp': string;
          'video/mp4': string;
        };
      };
      /** @description The requested range */
      206: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Accept-Ranges': components['headers']['AcceptRanges'];
          ETag: components['headers']['ETag'];
          'Cache-Control': components['headers']['CacheControl'];
          'Content-Disposition': components['headers']['ContentDisposition'];
          'Content-Range': components['headers']['ContentRange'];
          [name: string]: unknown;
        };
        content: {
          'image/jpeg': string;
          'image/png': string;
          'image/webp': string;
          'video/mp4': string;
        };
      };
      /** @description The cached copy is still current */
      304: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Accept-Ranges': components['headers']['AcceptRanges'];
          ETag: components['headers']['ETag'];
          'Cache-Control': components['headers']['CacheControl'];
          'Content-Disposition': components['headers']['ContentDisposition'];
          [name: string]: unknown;
        };
        content?: never;
      };
      /** @description `ERR_4006` invalid request. Do not repeat. `details.field` names what to correct, `details.allowed` what would be accepted. */
      400: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4005` unauthorized. On 401 refresh the session once and repeat; if that fails, onboard the guest again or sign in again. On 403 do not repeat: the caller is known, but not allowed. */
      401: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'WWW-Authenticate': components['headers']['WwwAuthenticate'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /**
       * @description `ERR_4005` unauthorized. On 401 refresh the session once and repeat; if that fails, onboard the guest again or sign in again. On 403 do not repeat: the caller is known, but not allowed.
       *
       *     `ERR_4013` account banned. Stop sending requests and show how to reach support.
       */
      403: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4007` not found, or not yours. Do not repeat. Remove the object from your list and read the list again. */
      404: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The range is outside the file */
      416: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Range': components['headers']['ContentRange'];
          [name: string]: unknown;
        };
        content?: never;
      };
      /** @description `ERR_4004` rate limit exceeded. Wait for `Retry-After` seconds (also `details.retry_after`), then repeat the same request. */
      429: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'Retry-After': components['headers']['RetryAfter'];
          RateLimit: components['headers']['RateLimit'];
          'RateLimit-Policy': components['headers']['RateLimitPolicy'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_6003` internal error. Repeat once after a few seconds, with the same `Idempotency-Key`; if that fails, report the `X-Request-Id` of the answer. */
      500: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /**
       * @description `ERR_6002` storage unavailable. Repeat after a few seconds, with the same `Idempotency-Key` where there is one: it is never charged twice.
       *
       *     `ERR_6001` database unavailable. Repeat after a few seconds, with the same `Idempotency-Key` where there is one: it is never charged twice.
       */
      503: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'Retry-After': components['headers']['RetryAfter'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
    };
  };
  replaceObject: {
    parameters: {
      query?: never;
      header?: {
        /** @description A JSON object in base64, of at most 10,000 characters, which `getObjectInfo` returns. In a form, the field `metadata`. */
        'x-metadata'?: string;
      };
      path: {
        bucket: 'videos' | 'thumbnails' | 'user_uploads';
        /** @description The path `<user_id>/…`, whose slashes are part of the URL. Names consist of letters, digits, spaces and the characters `. _ - ! ' ( ) * + , : ; = @ & $`. */
        path: string;
      };
      cookie?: never;
    };
    /** @description The bytes of the image. A multipart form with the image as its file is accepted too. */
    requestBody: {
      content: {
        'image/jpeg': string;
        'image/png': string;
        'image/webp': string;
      };
    };
    responses: {
      /** @description The image is stored */
      200: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          RateLimit: components['headers']['RateLimit'];
          'RateLimit-Policy': components['headers']['RateLimitPolicy'];
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "Id": "c56a4180-65aa-42ec-a945-5fd21dec0538",
           *       "Key": "user_uploads/7c9e6679-7425-40de-944b-e07fc1f90ae7/portrait.jpg"
           *     }
           */
          'application/json': components['schemas']['StoredObject'];
        };
      };
      /** @description `ERR_4006` invalid request. Do not repeat. `details.field` names what to correct, `details.allowed` what would be accepted. */
      400: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4005` unauthorized. On 401 refresh the session once and repeat; if that fails, onboard the guest again or sign in again. On 403 do not repeat: the caller is known, but not allowed. */
      401: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'WWW-Authenticate': components['headers']['WwwAuthenticate'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /**
       * @description `ERR_4005` unauthorized. On 401 refresh the session once and repeat; if that fails, onboard the guest again or sign in again. On 403 do not repeat: the caller is known, but not allowed.
       *
       *     `ERR_4013` account banned. Stop sending requests and show how to reach support.
       */
      403: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4007` not found, or not yours. Do not repeat. Remove the object from your list and read the list again. */
      404: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4008` conflict with the current state. Read the current state and decide again. With `Retry-After`, repeat the same request after that many seconds. */
      409: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'Retry-After': components['headers']['RetryAfter'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4014` too large. Send less; `details.bytes_max` is the limit in bytes. */
      413: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4015` unsupported type. Send one of the content types in `details.allowed`. */
      415: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4004` rate limit exceeded. Wait for `Retry-After` seconds (also `details.retry_after`), then repeat the same request. */
      429: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'Retry-After': components['headers']['RetryAfter'];
          RateLimit: components['headers']['RateLimit'];
          'RateLimit-Policy': components['headers']['RateLimitPolicy'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_6003` internal error. Repeat once after a few seconds, with the same `Idempotency-Key`; if that fails, report the `X-Request-Id` of the answer. */
      500: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /**
       * @description `ERR_6002` storage unavailable. Repeat after a few seconds, with the same `Idempotency-Key` where there is one: it is never charged twice.
       *
       *     `ERR_6001` database unavailable. Repeat after a few seconds, with the same `Idempotency-Key` where there is one: it is never charged twice.
       */
      503: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'Retry-After': components['headers']['RetryAfter'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
    };
  };
  uploadObject: {
    parameters: {
      query?: never;
      header?: {
        /** @description `true` replaces an existing object. */
        'x-upsert'?: string;
        /** @description A JSON object in base64, of at most 10,000 characters, which `getObjectInfo` returns. In a form, the field `metadata`. */
        'x-metadata'?: string;
      };
      path: {
        bucket: 'videos' | 'thumbnails' | 'user_uploads';
        /** @description The path `<user_id>/…`, whose slashes are part of the URL. Names consist of letters, digits, spaces and the characters `. _ - ! ' ( ) * + , : ; = @ & $`. */
        path: string;
      };
      cookie?: never;
    };
    /** @description The bytes of the image. A multipart form with the image as its file is accepted too. */
    requestBody: {
      content: {
        'image/jpeg': string;
        'image/png': string;
        'image/webp': string;
      };
    };
    responses: {
      /** @description The image is stored */
      200: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          RateLimit: components['headers']['RateLimit'];
          'RateLimit-Policy': components['headers']['RateLimitPolicy'];
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "Id": "c56a4180-65aa-42ec-a945-5fd21dec0538",
           *       "Key": "user_uploads/7c9e6679-7425-40de-944b-e07fc1f90ae7/portrait.jpg"
           *     }
           */
          'application/json': components['schemas']['StoredObject'];
        };
      };
      /** @description `ERR_4006` invalid request. Do not repeat. `details.field` names what to correct, `details.allowed` what would be accepted. */
      400: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4005` unauthorized. On 401 refresh the session once and repeat; if that fails, onboard the guest again or sign in again. On 403 do not repeat: the caller is known, but not allowed. */
      401: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'WWW-Authenticate': components['headers']['WwwAuthenticate'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /**
       * @description `ERR_4005` unauthorized. On 401 refresh the session once and repeat; if that fails, onboard the guest again or sign in again. On 403 do not repeat: the caller is known, but not allowed.
       *
       *     `ERR_4013` account banned. Stop sending requests and show how to reach support.
       */
      403: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4007` not found, or not yours. Do not repeat. Remove the object from your list and read the list again. */
      404: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4008` conflict with the current state. Read the current state and decide again. With `Retry-After`, repeat the same request after that many seconds. */
      409: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'Retry-After': components['headers']['RetryAfter'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4014` too large. Send less; `details.bytes_max` is the limit in bytes. */
      413: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4015` unsupported type. Send one of the content types in `details.allowed`. */
      415: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4004` rate limit exceeded. Wait for `Retry-After` seconds (also `details.retry_after`), then repeat the same request. */
      429: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'Retry-After': components['headers']['RetryAfter'];
          RateLimit: components['headers']['RateLimit'];
          'RateLimit-Policy': components['headers']['RateLimitPolicy'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_6003` internal error. Repeat once after a few seconds, with the same `Idempotency-Key`; if that fails, report the `X-Request-Id` of the answer. */
      500: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /**
       * @description `ERR_6002` storage unavailable. Repeat after a few seconds, with the same `Idempotency-Key` where there is one: it is never charged twice.
       *
       *     `ERR_6001` database unavailable. Repeat after a few seconds, with the same `Idempotency-Key` where there is one: it is never charged twice.
       */
      503: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'Retry-After': components['headers']['RetryAfter'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
    };
  };
  deleteObject: {
    parameters: {
      query?: never;
      header?: never;
      path: {
        bucket: 'videos' | 'thumbnails' | 'user_uploads';
        /** @description The path `<user_id>/…`, whose slashes are part of the URL. Names consist of letters, digits, spaces and the characters `. _ - ! ' ( ) * + , : ; = @ & $`. */
        path: string;
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description The deleted image */
      200: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          RateLimit: components['headers']['RateLimit'];
          'RateLimit-Policy': components['headers']['RateLimitPolicy'];
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "name": "7c9e6679-7425-40de-944b-e07fc1f90ae7/portrait.jpg",
           *       "id": "c56a4180-65aa-42ec-a945-5fd21dec0538",
           *       "updated_at": "2026-11-23T09:30:00.000Z",
           *       "created_at": "2026-11-23T09:30:00.000Z",
           *       "last_accessed_at": "2026-11-23T09:30:00.000Z",
           *       "metadata": {
           *         "size": 184320,
           *         "contentLength": 184320,
           *         "mimetype": "image/jpeg",
           *         "eTag": "\"9f86d081884c7d659a2feaa0c55ad015\"",
           *         "cacheControl": "private, max-age=0",
           *         "lastModified": "2026-11-23T09:30:00.000Z"
           *       }
           *     }
           */
          'application/json': components['schemas']['ObjectEntry'];
        };
      };
      /** @description `ERR_4006` invalid request. Do not repeat. `details.field` names what to correct, `details.allowed` what would be accepted. */
      400: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4005` unauthorized. On 401 refresh the session once and repeat; if that fails, onboard the guest again or sign in again. On 403 do not repeat: the caller is known, but not allowed. */
      401: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'WWW-Authenticate': components['headers']['WwwAuthenticate'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /**
       * @description `ERR_4005` unauthorized. On 401 refresh the session once and repeat; if that fails, onboard the guest again or sign in again. On 403 do not repeat: the caller is known, but not allowed.
       *
       *     `ERR_4013` account banned. Stop sending requests and show how to reach support.
       */
      403: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4007` not found, or not yours. Do not repeat. Remove the object from your list and read the list again. */
      404: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4004` rate limit exceeded. Wait for `Retry-After` seconds (also `details.retry_after`), then repeat the same request. */
      429: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'Retry-After': components['headers']['RetryAfter'];
          RateLimit: components['headers']['RateLimit'];
          'RateLimit-Policy': components['headers']['RateLimitPolicy'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_6003` internal error. Repeat once after a few seconds, with the same `Idempotency-Key`; if that fails, report the `X-Request-Id` of the answer. */
      500: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_6001` database unavailable. Repeat after a few seconds, with the same `Idempotency-Key` where there is one: it is never charged twice. */
      503: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'Retry-After': components['headers']['RetryAfter'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
    };
  };
  deleteObjects: {
    parameters: {
      query?: never;
      header?: never;
      path: {
        bucket: 'videos' | 'thumbnails' | 'user_uploads';
      };
      cookie?: never;
    };
    requestBody: {
      content: {
        'application/json': components['schemas']['RemoveObjects'];
      };
    };
    responses: {
      /** @description The deleted images */
      200: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          RateLimit: components['headers']['RateLimit'];
          'RateLimit-Policy': components['headers']['RateLimitPolicy'];
          [name: string]: unknown;
        };
        content: {
          /**
           * @example [
           *       {
           *         "name": "7c9e6679-7425-40de-944b-e07fc1f90ae7/portrait.jpg",
           *         "id": "c56a4180-65aa-42ec-a945-5fd21dec0538",
           *         "updated_at": "2026-11-23T09:30:00.000Z",
           *         "created_at": "2026-11-23T09:30:00.000Z",
           *         "last_accessed_at": "2026-11-23T09:30:00.000Z",
           *         "metadata": {
           *           "size": 184320,
           *           "contentLength": 184320,
           *           "mimetype": "image/jpeg",
           *           "eTag": "\"9f86d081884c7d659a2feaa0c55ad015\"",
           *           "cacheControl": "private, max-age=0",
           *           "lastModified": "2026-11-23T09:30:00.000Z"
           *         }
           *       }
           *     ]
           */
          'application/json': components['schemas']['ObjectEntries'];
        };
      };
      /** @description `ERR_4006` invalid request. Do not repeat. `details.field` names what to correct, `details.allowed` what would be accepted. */
      400: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4005` unauthorized. On 401 refresh the session once and repeat; if that fails, onboard the guest again or sign in again. On 403 do not repeat: the caller is known, but not allowed. */
      401: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'WWW-Authenticate': components['headers']['WwwAuthenticate'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /**
       * @description `ERR_4005` unauthorized. On 401 refresh the session once and repeat; if that fails, onboard the guest again or sign in again. On 403 do not repeat: the caller is known, but not allowed.
       *
       *     `ERR_4013` account banned. Stop sending requests and show how to reach support.
       */
      403: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4007` not found, or not yours. Do not repeat. Remove the object from your list and read the list again. */
      404: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4014` too large. Send less; `details.bytes_max` is the limit in bytes. */
      413: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4015` unsupported type. Send one of the content types in `details.allowed`. */
      415: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4004` rate limit exceeded. Wait for `Retry-After` seconds (also `details.retry_after`), then repeat the same request. */
      429: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'Retry-After': components['headers']['RetryAfter'];
          RateLimit: components['headers']['RateLimit'];
          'RateLimit-Policy': components['headers']['RateLimitPolicy'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_6003` internal error. Repeat once after a few seconds, with the same `Idempotency-Key`; if that fails, report the `X-Request-Id` of the answer. */
      500: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_6001` database unavailable. Repeat after a few seconds, with the same `Idempotency-Key` where there is one: it is never charged twice. */
      503: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'Retry-After': components['headers']['RetryAfter'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
    };
  };
  getMedia: {
    parameters: {
      query: {
        /** @description The signature in the signed URL. */
        token: string;
        /** @description Offers the file as a download under this name, or if empty, under its own. */
        download?: string;
      };
      header?: {
        /** @description A part of the file, such as `bytes=0-1023`. */
        Range?: string;
        /** @description The `ETag` of the file that the range belongs to. */
        'If-Range'?: string;
        /** @description The `ETag` of the cached copy. */
        'If-None-Match'?: string;
      };
      path: {
        bucket: 'videos' | 'thumbnails' | 'user_uploads';
        /** @description `<user_id>/<yyyy-mm>/<job_id>.mp4`, or `.jpg` in `thumbnails`; `<user_id>/…` in `user_uploads`. The slashes are part of the URL. */
        path: string;
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description The file */
      200: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Accept-Ranges': components['headers']['AcceptRanges'];
          ETag: components['headers']['ETag'];
          'Cache-Control': components['headers']['CacheControl'];
          'Content-Disposition': components['headers']['ContentDisposition'];
          [name: string]: unknown;
        };
        content: {
          'image/jpeg': string;
          'image/png': string;
          'image/webp': string;
          'video/mp4': string;
        };
      };
      /** @description The requested range */
      206: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Accept-Ranges': components['headers']['AcceptRanges'];
          ETag: components['headers']['ETag'];
          'Cache-Control': components['headers']['CacheControl'];
          'Content-Disposition': components['headers']['ContentDisposition'];
          'Content-Range': components['headers']['ContentRange'];
          [name: string]: unknown;
        };
        content: {
          'image/jpeg': string;
          'image/png': string;
          'image/webp': string;
          'video/mp4': string;
        };
      };
      /** @description The cached copy is still current */
      304: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Accept-Ranges': components['headers']['AcceptRanges'];
          ETag: components['headers']['ETag'];
          'Cache-Control': components['headers']['CacheControl'];
          'Content-Disposition': components['headers']['ContentDisposition'];
          [name: string]: unknown;
        };
        content?: never;
      };
      /** @description `ERR_4005` unauthorized. On 401 refresh the session once and repeat; if that fails, onboard the guest again or sign in again. On 403 do not repeat: the caller is known, but not allowed. */
      403: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4007` not found, or not yours. Do not repeat. Remove the object from your list and read the list again. */
      404: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The range is outside the file */
      416: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Range': components['headers']['ContentRange'];
          [name: string]: unknown;
        };
        content?: never;
      };
      /** @description `ERR_6003` internal error. Repeat once after a few seconds, with the same `Idempotency-Key`; if that fails, report the `X-Request-Id` of the answer. */
      500: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /**
       * @description `ERR_6002` storage unavailable. Repeat after a few seconds, with the same `Idempotency-Key` where there is one: it is never charged twice.
       *
       *     `ERR_6001` database unavailable. Repeat after a few seconds, with the same `Idempotency-Key` where there is one: it is never charged twice.
       */
      503: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'Retry-After': components['headers']['RetryAfter'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
    };
  };
  signObject: {
    parameters: {
      query?: never;
      header?: never;
      path: {
        bucket: 'videos' | 'thumbnails' | 'user_uploads';
        /** @description The path `<user_id>/…`, whose slashes are part of the URL. Names consist of letters, digits, spaces and the characters `. _ - ! ' ( ) * + , : ; = @ & $`. */
        path: string;
      };
      cookie?: never;
    };
    requestBody: {
      content: {
        'application/json': components['schemas']['SignObject'];
      };
    };
    responses: {
      /** @description The signed URL */
      200: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          RateLimit: components['headers']['RateLimit'];
          'RateLimit-Policy': components['headers']['RateLimitPolicy'];
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "signedURL": "/object/sign/user_uploads/7c9e6679-7425-40de-944b-e07fc1f90ae7/portrait.jpg?token=1795426200.hPj3sZkq0cFQ2m1o7yQn0b2k5e8b1dX4m0p9wq3r6tA"
           *     }
           */
          'application/json': components['schemas']['SignedAddress'];
        };
      };
      /** @description `ERR_4006` invalid request. Do not repeat. `details.field` names what to correct, `details.allowed` what would be accepted. */
      400: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4005` unauthorized. On 401 refresh the session once and repeat; if that fails, onboard the guest again or sign in again. On 403 do not repeat: the caller is known, but not allowed. */
      401: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'WWW-Authenticate': components['headers']['WwwAuthenticate'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /**
       * @description `ERR_4005` unauthorized. On 401 refresh the session once and repeat; if that fails, onboard the guest again or sign in again. On 403 do not repeat: the caller is known, but not allowed.
       *
       *     `ERR_4013` account banned. Stop sending requests and show how to reach support.
       */
      403: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4007` not found, or not yours. Do not repeat. Remove the object from your list and read the list again. */
      404: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4014` too large. Send less; `details.bytes_max` is the limit in bytes. */
      413: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4015` unsupported type. Send one of the content types in `details.allowed`. */
      415: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4004` rate limit exceeded. Wait for `Retry-After` seconds (also `details.retry_after`), then repeat the same request. */
      429: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'Retry-After': components['headers']['RetryAfter'];
          RateLimit: components['headers']['RateLimit'];
          'RateLimit-Policy': components['headers']['RateLimitPolicy'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_6003` internal error. Repeat once after a few seconds, with the same `Idempotency-Key`; if that fails, report the `X-Request-Id` of the answer. */
      500: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_6001` database unavailable. Repeat after a few seconds, with the same `Idempotency-Key` where there is one: it is never charged twice. */
      503: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'Retry-After': components['headers']['RetryAfter'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
    };
  };
  headMedia: {
    parameters: {
      query: {
        /** @description The signature in the signed URL. */
        token: string;
        /** @description Offers the file as a download under this name, or if empty, under its own. */
        download?: string;
      };
      header?: never;
      path: {
        bucket: 'videos' | 'thumbnails' | 'user_uploads';
        /** @description `<user_id>/<yyyy-mm>/<job_id>.mp4`, or `.jpg` in `thumbnails`; `<user_id>/…` in `user_uploads`. The slashes are part of the URL. */
        path: string;
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description The file exists */
      200: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Accept-Ranges': components['headers']['AcceptRanges'];
          ETag: components['headers']['ETag'];
          'Cache-Control': components['headers']['CacheControl'];
          'Content-Disposition': components['headers']['ContentDisposition'];
          [name: string]: unknown;
        };
        content?: never;
      };
      /** @description The cached copy is still current */
      304: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Accept-Ranges': components['headers']['AcceptRanges'];
          ETag: components['headers']['ETag'];
          'Cache-Control': components['headers']['CacheControl'];
          'Content-Disposition': components['headers']['ContentDisposition'];
          [name: string]: unknown;
        };
        content?: never;
      };
      /** @description `ERR_4005` unauthorized: the link has expired or is not valid. */
      403: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          [name: string]: unknown;
        };
        content?: never;
      };
      /** @description `ERR_4007` not found. */
      404: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          [name: string]: unknown;
        };
        content?: never;
      };
      /** @description `ERR_6003` internal error. */
      500: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          [name: string]: unknown;
        };
        content?: never;
      };
      /** @description `ERR_6001` or `ERR_6002`: database or storage unavailable. */
      503: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Retry-After': components['headers']['RetryAfter'];
          [name: string]: unknown;
        };
        content?: never;
      };
    };
  };
  signObjects: {
    parameters: {
      query?: never;
      header?: never;
      path: {
        bucket: 'videos' | 'thumbnails' | 'user_uploads';
      };
      cookie?: never;
    };
    requestBody: {
      content: {
        'application/json': components['schemas']['SignObjects'];
      };
    };
    responses: {
      /** @description The signed URLs, in the order of the paths */
      200: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          RateLimit: components['headers']['RateLimit'];
          'RateLimit-Policy': components['headers']['RateLimitPolicy'];
          [name: string]: unknown;
        };
        content: {
          /**
           * @example [
           *       {
           *         "error": null,
           *         "path": "7c9e6679-7425-40de-944b-e07fc1f90ae7/portrait.jpg",
           *         "signedURL": "/object/sign/user_uploads/7c9e6679-7425-40de-944b-e07fc1f90ae7/portrait.jpg?token=1795426200.hPj3sZkq0cFQ2m1o7yQn0b2k5e8b1dX4m0p9wq3r6tA"
           *       }
           *     ]
           */
          'application/json': components['schemas']['SignedAddresses'];
        };
      };
      /** @description `ERR_4006` invalid request. Do not repeat. `details.field` names what to correct, `details.allowed` what would be accepted. */
      400: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4005` unauthorized. On 401 refresh the session once and repeat; if that fails, onboard the guest again or sign in again. On 403 do not repeat: the caller is known, but not allowed. */
      401: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'WWW-Authenticate': components['headers']['WwwAuthenticate'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /**
       * @description `ERR_4005` unauthorized. On 401 refresh the session once and repeat; if that fails, onboard the guest again or sign in again. On 403 do not repeat: the caller is known, but not allowed.
       *
       *     `ERR_4013` account banned. Stop sending requests and show how to reach support.
       */
      403: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4007` not found, or not yours. Do not repeat. Remove the object from your list and read the list again. */
      404: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4014` too large. Send less; `details.bytes_max` is the limit in bytes. */
      413: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4015` unsupported type. Send one of the content types in `details.allowed`. */
      415: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4004` rate limit exceeded. Wait for `Retry-After` seconds (also `details.retry_after`), then repeat the same request. */
      429: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'Retry-After': components['headers']['RetryAfter'];
          RateLimit: components['headers']['RateLimit'];
          'RateLimit-Policy': components['headers']['RateLimitPolicy'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_6003` internal error. Repeat once after a few seconds, with the same `Idempotency-Key`; if that fails, report the `X-Request-Id` of the answer. */
      500: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_6001` database unavailable. Repeat after a few seconds, with the same `Idempotency-Key` where there is one: it is never charged twice. */
      503: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'Retry-After': components['headers']['RetryAfter'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
    };
  };
  uploadToSignedAddress: {
    parameters: {
      query: {
        /** @description The signature in the signed URL. */
        token: string;
      };
      header?: never;
      path: {
        bucket: 'videos' | 'thumbnails' | 'user_uploads';
        /** @description The path `<user_id>/…`, whose slashes are part of the URL. Names consist of letters, digits, spaces and the characters `. _ - ! ' ( ) * + , : ; = @ & $`. */
        path: string;
      };
      cookie?: never;
    };
    /** @description The bytes of the image. A multipart form with the image as its file is accepted too. */
    requestBody: {
      content: {
        'image/jpeg': string;
        'image/png': string;
        'image/webp': string;
      };
    };
    responses: {
      /** @description The image is stored */
      200: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "Key": "user_uploads/7c9e6679-7425-40de-944b-e07fc1f90ae7/portrait.jpg"
           *     }
           */
          'application/json': components['schemas']['UploadedObject'];
        };
      };
      /** @description `ERR_4006` invalid request. Do not repeat. `details.field` names what to correct, `details.allowed` what would be accepted. */
      400: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /**
       * @description `ERR_4005` unauthorized. On 401 refresh the session once and repeat; if that fails, onboard the guest again or sign in again. On 403 do not repeat: the caller is known, but not allowed.
       *
       *     `ERR_4013` account banned. Stop sending requests and show how to reach support.
       */
      403: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4008` conflict with the current state. Read the current state and decide again. With `Retry-After`, repeat the same request after that many seconds. */
      409: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'Retry-After': components['headers']['RetryAfter'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4014` too large. Send less; `details.bytes_max` is the limit in bytes. */
      413: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4015` unsupported type. Send one of the content types in `details.allowed`. */
      415: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4004` rate limit exceeded. Wait for `Retry-After` seconds (also `details.retry_after`), then repeat the same request. */
      429: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'Retry-After': components['headers']['RetryAfter'];
          RateLimit: components['headers']['RateLimit'];
          'RateLimit-Policy': components['headers']['RateLimitPolicy'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_6003` internal error. Repeat once after a few seconds, with the same `Idempotency-Key`; if that fails, report the `X-Request-Id` of the answer. */
      500: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /**
       * @description `ERR_6002` storage unavailable. Repeat after a few seconds, with the same `Idempotency-Key` where there is one: it is never charged twice.
       *
       *     `ERR_6001` database unavailable. Repeat after a few seconds, with the same `Idempotency-Key` where there is one: it is never charged twice.
       */
      503: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'Retry-After': components['headers']['RetryAfter'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
    };
  };
  signUpload: {
    parameters: {
      query?: never;
      header?: {
        /** @description `true` lets the upload replace an existing object. */
        'x-upsert'?: string;
      };
      path: {
        bucket: 'videos' | 'thumbnails' | 'user_uploads';
        /** @description The path `<user_id>/…`, whose slashes are part of the URL. Names consist of letters, digits, spaces and the characters `. _ - ! ' ( ) * + , : ; = @ & $`. */
        path: string;
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description The upload URL */
      200: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          RateLimit: components['headers']['RateLimit'];
          'RateLimit-Policy': components['headers']['RateLimitPolicy'];
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "url": "/object/upload/sign/user_uploads/7c9e6679-7425-40de-944b-e07fc1f90ae7/portrait.jpg?token=1795426200.hPj3sZkq0cFQ2m1o7yQn0b2k5e8b1dX4m0p9wq3r6tA",
           *       "token": "1795426200.hPj3sZkq0cFQ2m1o7yQn0b2k5e8b1dX4m0p9wq3r6tA"
           *     }
           */
          'application/json': components['schemas']['UploadAddress'];
        };
      };
      /** @description `ERR_4006` invalid request. Do not repeat. `details.field` names what to correct, `details.allowed` what would be accepted. */
      400: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4005` unauthorized. On 401 refresh the session once and repeat; if that fails, onboard the guest again or sign in again. On 403 do not repeat: the caller is known, but not allowed. */
      401: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'WWW-Authenticate': components['headers']['WwwAuthenticate'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /**
       * @description `ERR_4005` unauthorized. On 401 refresh the session once and repeat; if that fails, onboard the guest again or sign in again. On 403 do not repeat: the caller is known, but not allowed.
       *
       *     `ERR_4013` account banned. Stop sending requests and show how to reach support.
       */
      403: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4007` not found, or not yours. Do not repeat. Remove the object from your list and read the list again. */
      404: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4008` conflict with the current state. Read the current state and decide again. With `Retry-After`, repeat the same request after that many seconds. */
      409: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'Retry-After': components['headers']['RetryAfter'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4014` too large. Send less; `details.bytes_max` is the limit in bytes. */
      413: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4015` unsupported type. Send one of the content types in `details.allowed`. */
      415: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4004` rate limit exceeded. Wait for `Retry-After` seconds (also `details.retry_after`), then repeat the same request. */
      429: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'Retry-After': components['headers']['RetryAfter'];
          RateLimit: components['headers']['RateLimit'];
          'RateLimit-Policy': components['headers']['RateLimitPolicy'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_6003` internal error. Repeat once after a few seconds, with the same `Idempotency-Key`; if that fails, report the `X-Request-Id` of the answer. */
      500: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_6001` database unavailable. Repeat after a few seconds, with the same `Idempotency-Key` where there is one: it is never charged twice. */
      503: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'Retry-After': components['headers']['RetryAfter'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
    };
  };
  deliverWebhook: {
    parameters: {
      query?: {
        /** @description `fal` for the form of fal; anything else for the generic form. */
        provider?: string;
        /** @description The id of our job, from the callback URL that the provider was given. */
        job?: string;
      };
      header?: {
        /** @description The signature of the generic form. */
        'X-Webhook-Signature'?: string;
        /** @description Unix seconds. If sent, it is part of the signed text. */
        'X-Webhook-Timestamp'?: string;
      };
      path?: never;
      cookie?: never;
    };
    requestBody: {
      content: {
        'application/json': components['schemas']['ProviderEvent'] | components['schemas']['FalEvent'];
      };
    };
    responses: {
      /** @description The event is accepted */
      200: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "success": true
           *     }
           */
          'application/json': components['schemas']['Received'];
        };
      };
      /** @description `ERR_4006` invalid request. Do not repeat. `details.field` names what to correct, `details.allowed` what would be accepted. */
      400: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4005` unauthorized. On 401 refresh the session once and repeat; if that fails, onboard the guest again or sign in again. On 403 do not repeat: the caller is known, but not allowed. */
      401: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'WWW-Authenticate': components['headers']['WwwAuthenticate'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4005` unauthorized. On 401 refresh the session once and repeat; if that fails, onboard the guest again or sign in again. On 403 do not repeat: the caller is known, but not allowed. */
      403: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4014` too large. Send less; `details.bytes_max` is the limit in bytes. */
      413: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_6003` internal error. Repeat once after a few seconds, with the same `Idempotency-Key`; if that fails, report the `X-Request-Id` of the answer. */
      500: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_6001` database unavailable. Repeat after a few seconds, with the same `Idempotency-Key` where there is one: it is never charged twice. */
      503: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'Retry-After': components['headers']['RetryAfter'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
    };
  };
  jobEvents: {
    parameters: {
      query?: {
        /** @description Only compared with the access token. Another user’s id returns a 403. */
        user_id?: string;
      };
      header?: {
        /** @description The id of the last event that the client has received. */
        'Last-Event-ID'?: string;
        /** @description The language of the messages: `en`, `tr` or `es`, with q-values. Defaults to the account’s language. */
        'Accept-Language'?: string;
      };
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /**
       * @description The event stream. Each event is a `JobEvent`, whose `data` is sent as one line of JSON:
       *
       *     ```
       *     retry: 3000
       *
       *     id: 40
       *
       *     id: 41
       *     event: credits
       *     data: {"credits_remaining":6,"change":-4,"reason":"video_generation","transaction_id":"c56a4180-65aa-42ec-a945-5fd21dec0538","created_at":"2026-11-23T09:31:00.000Z"}
       *
       *     id: 42
       *     event: queued
       *     data: {"job_id":"9b2f8f3c-5f0e-4b8e-9d0e-2a6c1f7d4e55","status":"pending","created_at":"2026-11-23T09:31:00.000Z"}
       *
       *     id: 43
       *     event: processing
       *     data: {"job_id":"9b2f8f3c-5f0e-4b8e-9d0e-2a6c1f7d4e55","status":"processing","progress":40,"queue_position":null,"created_at":"2026-11-23T09:31:00.000Z"}
       *
       *     id: 44
       *     event: completed
       *     data: {"job_id":"9b2f8f3c-5f0e-4b8e-9d0e-2a6c1f7d4e55","status":"completed","video_url":"http://localhost:8787/storage/v1/object/sign/videos/7c9e6679-7425-40de-944b-e07fc1f90ae7/2026-11/9b2f8f3c-5f0e-4b8e-9d0e-2a6c1f7d4e55.mp4?token=1795516200.q0Zb3xw1mH8sY2dKcV7nR5tLgE9aJ4uP6iO0fXyZ1bQ","thumbnail_url":"http://localhost:8787/storage/v1/object/sign/thumbnails/7c9e6679-7425-40de-944b-e07fc1f90ae7/2026-11/9b2f8f3c-5f0e-4b8e-9d0e-2a6c1f7d4e55.jpg?token=1795516200.q0Zb3xw1mH8sY2dKcV7nR5tLgE9aJ4uP6iO0fXyZ1bQ","created_at":"2026-11-23T09:31:00.000Z"}
       *     ```
       */
      200: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          RateLimit: components['headers']['RateLimit'];
          'RateLimit-Policy': components['headers']['RateLimitPolicy'];
          'Cache-Control': components['headers']['CacheControl'];
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "id": "44",
           *       "event": "completed",
           *       "data": {
           *         "job_id": "9b2f8f3c-5f0e-4b8e-9d0e-2a6c1f7d4e55",
           *         "status": "completed",
           *         "video_url": "http://localhost:8787/storage/v1/object/sign/videos/7c9e6679-7425-40de-944b-e07fc1f90ae7/2026-11/9b2f8f3c-5f0e-4b8e-9d0e-2a6c1f7d4e55.mp4?token=1795516200.q0Zb3xw1mH8sY2dKcV7nR5tLgE9aJ4uP6iO0fXyZ1bQ",
           *         "thumbnail_url": "http://localhost:8787/storage/v1/object/sign/thumbnails/7c9e6679-7425-40de-944b-e07fc1f90ae7/2026-11/9b2f8f3c-5f0e-4b8e-9d0e-2a6c1f7d4e55.jpg?token=1795516200.q0Zb3xw1mH8sY2dKcV7nR5tLgE9aJ4uP6iO0fXyZ1bQ",
           *         "created_at": "2026-11-23T09:31:00.000Z"
           *       }
           *     }
           */
          'text/event-stream': components['schemas']['JobEvent'];
        };
      };
      /** @description `ERR_4006` invalid request. Do not repeat. `details.field` names what to correct, `details.allowed` what would be accepted. */
      400: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4005` unauthorized. On 401 refresh the session once and repeat; if that fails, onboard the guest again or sign in again. On 403 do not repeat: the caller is known, but not allowed. */
      401: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'WWW-Authenticate': components['headers']['WwwAuthenticate'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /**
       * @description `ERR_4005` unauthorized. On 401 refresh the session once and repeat; if that fails, onboard the guest again or sign in again. On 403 do not repeat: the caller is known, but not allowed.
       *
       *     `ERR_4013` account banned. Stop sending requests and show how to reach support.
       */
      403: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4004` rate limit exceeded. Wait for `Retry-After` seconds (also `details.retry_after`), then repeat the same request. */
      429: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'Retry-After': components['headers']['RetryAfter'];
          RateLimit: components['headers']['RateLimit'];
          'RateLimit-Policy': components['headers']['RateLimitPolicy'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_6003` internal error. Repeat once after a few seconds, with the same `Idempotency-Key`; if that fails, report the `X-Request-Id` of the answer. */
      500: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_6001` database unavailable. Repeat after a few seconds, with the same `Idempotency-Key` where there is one: it is never charged twice. */
      503: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'Retry-After': components['headers']['RetryAfter'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
    };
  };
  registerPushToken: {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody: {
      content: {
        'application/json': {
          /**
           * Format: uuid
           * @description Only compared with the access token. Another user’s id returns a 403.
           */
          user_id?: string | null;
          /**
           * @description The device token that iOS gave the app, in hexadecimal: 64 to 200 digits in any case.
           * @example 740f4707bebcf74f9b7c25d48e3358945f6aa01da5ddb387462c7eaf61bb78ad
           */
          token: string;
          /**
           * @description Where Apple knows the token: `sandbox` for a build that Xcode runs, `production` for one from TestFlight or the App Store. It is the app’s entitlement `aps-environment`, where `development` stands for `sandbox`.
           * @enum {string}
           */
          environment: 'production' | 'sandbox';
        };
      };
    };
    responses: {
      /** @description Done, now or by an earlier request */
      200: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          RateLimit: components['headers']['RateLimit'];
          'RateLimit-Policy': components['headers']['RateLimitPolicy'];
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "success": true
           *     }
           */
          'application/json': components['schemas']['PushTokenChanged'];
        };
      };
      /** @description `ERR_4006` invalid request. Do not repeat. `details.field` names what to correct, `details.allowed` what would be accepted. */
      400: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4005` unauthorized. On 401 refresh the session once and repeat; if that fails, onboard the guest again or sign in again. On 403 do not repeat: the caller is known, but not allowed. */
      401: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'WWW-Authenticate': components['headers']['WwwAuthenticate'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /**
       * @description `ERR_4005` unauthorized. On 401 refresh the session once and repeat; if that fails, onboard the guest again or sign in again. On 403 do not repeat: the caller is known, but not allowed.
       *
       *     `ERR_4013` account banned. Stop sending requests and show how to reach support.
       */
      403: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4014` too large. Send less; `details.bytes_max` is the limit in bytes. */
      413: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4015` unsupported type. Send one of the content types in `details.allowed`. */
      415: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4004` rate limit exceeded. Wait for `Retry-After` seconds (also `details.retry_after`), then repeat the same request. */
      429: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'Retry-After': components['headers']['RetryAfter'];
          RateLimit: components['headers']['RateLimit'];
          'RateLimit-Policy': components['headers']['RateLimitPolicy'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_6003` internal error. Repeat once after a few seconds, with the same `Idempotency-Key`; if that fails, report the `X-Request-Id` of the answer. */
      500: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4017` switched off by configuration. Hide the feature. The operator of the server can configure it. */
      501: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_6001` database unavailable. Repeat after a few seconds, with the same `Idempotency-Key` where there is one: it is never charged twice. */
      503: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'Retry-After': components['headers']['RetryAfter'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
    };
  };
  unregisterPushToken: {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody: {
      content: {
        'application/json': {
          /**
           * Format: uuid
           * @description Only compared with the access token. Another user’s id returns a 403.
           */
          user_id?: string | null;
          /**
           * @description The device token that iOS gave the app, in hexadecimal: 64 to 200 digits in any case.
           * @example 740f4707bebcf74f9b7c25d48e3358945f6aa01da5ddb387462c7eaf61bb78ad
           */
          token: string;
          /**
           * @description Where Apple knows the token: `sandbox` for a build that Xcode runs, `production` for one from TestFlight or the App Store. It is the app’s entitlement `aps-environment`, where `development` stands for `sandbox`.
           * @enum {string}
           */
          environment: 'production' | 'sandbox';
        };
      };
    };
    responses: {
      /** @description Done, now or by an earlier request */
      200: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          RateLimit: components['headers']['RateLimit'];
          'RateLimit-Policy': components['headers']['RateLimitPolicy'];
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "success": true
           *     }
           */
          'application/json': components['schemas']['PushTokenChanged'];
        };
      };
      /** @description `ERR_4006` invalid request. Do not repeat. `details.field` names what to correct, `details.allowed` what would be accepted. */
      400: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4005` unauthorized. On 401 refresh the session once and repeat; if that fails, onboard the guest again or sign in again. On 403 do not repeat: the caller is known, but not allowed. */
      401: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'WWW-Authenticate': components['headers']['WwwAuthenticate'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /**
       * @description `ERR_4005` unauthorized. On 401 refresh the session once and repeat; if that fails, onboard the guest again or sign in again. On 403 do not repeat: the caller is known, but not allowed.
       *
       *     `ERR_4013` account banned. Stop sending requests and show how to reach support.
       */
      403: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4014` too large. Send less; `details.bytes_max` is the limit in bytes. */
      413: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4015` unsupported type. Send one of the content types in `details.allowed`. */
      415: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4004` rate limit exceeded. Wait for `Retry-After` seconds (also `details.retry_after`), then repeat the same request. */
      429: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'Retry-After': components['headers']['RetryAfter'];
          RateLimit: components['headers']['RateLimit'];
          'RateLimit-Policy': components['headers']['RateLimitPolicy'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_6003` internal error. Repeat once after a few seconds, with the same `Idempotency-Key`; if that fails, report the `X-Request-Id` of the answer. */
      500: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4017` switched off by configuration. Hide the feature. The operator of the server can configure it. */
      501: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_6001` database unavailable. Repeat after a few seconds, with the same `Idempotency-Key` where there is one: it is never charged twice. */
      503: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'Retry-After': components['headers']['RetryAfter'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
    };
  };
  adminOpenSession: {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody: {
      content: {
        'application/json': {
          /** @description What stands behind `#link=` in the link. */
          token: string;
        };
      };
    };
    responses: {
      /** @description The session */
      200: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "access_token": "eyJhbGciOiJFUzI1NiJ9…",
           *       "token_type": "bearer",
           *       "expires_at": "2026-11-23T10:30:00.000Z",
           *       "email": "ada@example.com"
           *     }
           */
          'application/json': components['schemas']['AdminSession'];
        };
      };
      /** @description `ERR_4006` invalid request. Do not repeat. `details.field` names what to correct, `details.allowed` what would be accepted. */
      400: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4005` unauthorized. On 401 refresh the session once and repeat; if that fails, onboard the guest again or sign in again. On 403 do not repeat: the caller is known, but not allowed. */
      401: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'WWW-Authenticate': components['headers']['WwwAuthenticate'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4005` unauthorized. On 401 refresh the session once and repeat; if that fails, onboard the guest again or sign in again. On 403 do not repeat: the caller is known, but not allowed. */
      403: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4014` too large. Send less; `details.bytes_max` is the limit in bytes. */
      413: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4015` unsupported type. Send one of the content types in `details.allowed`. */
      415: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4004` rate limit exceeded. Wait for `Retry-After` seconds (also `details.retry_after`), then repeat the same request. */
      429: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'Retry-After': components['headers']['RetryAfter'];
          RateLimit: components['headers']['RateLimit'];
          'RateLimit-Policy': components['headers']['RateLimitPolicy'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_6003` internal error. Repeat once after a few seconds, with the same `Idempotency-Key`; if that fails, report the `X-Request-Id` of the answer. */
      500: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_6001` database unavailable. Repeat after a few seconds, with the same `Idempotency-Key` where there is one: it is never charged twice. */
      503: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'Retry-After': components['headers']['RetryAfter'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
    };
  };
  adminSession: {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description The session */
      200: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          RateLimit: components['headers']['RateLimit'];
          'RateLimit-Policy': components['headers']['RateLimitPolicy'];
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "email": "ada@example.com",
           *       "expires_at": "2026-11-23T10:30:00.000Z"
           *     }
           */
          'application/json': {
            email: string;
            /**
             * Format: date-time
             * @example 2026-11-23T09:30:00.000Z
             */
            expires_at: string;
          };
        };
      };
      /** @description `ERR_4006` invalid request. Do not repeat. `details.field` names what to correct, `details.allowed` what would be accepted. */
      400: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4005` unauthorized. On 401 refresh the session once and repeat; if that fails, onboard the guest again or sign in again. On 403 do not repeat: the caller is known, but not allowed. */
      401: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'WWW-Authenticate': components['headers']['WwwAuthenticate'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4005` unauthorized. On 401 refresh the session once and repeat; if that fails, onboard the guest again or sign in again. On 403 do not repeat: the caller is known, but not allowed. */
      403: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4004` rate limit exceeded. Wait for `Retry-After` seconds (also `details.retry_after`), then repeat the same request. */
      429: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'Retry-After': components['headers']['RetryAfter'];
          RateLimit: components['headers']['RateLimit'];
          'RateLimit-Policy': components['headers']['RateLimitPolicy'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_6003` internal error. Repeat once after a few seconds, with the same `Idempotency-Key`; if that fails, report the `X-Request-Id` of the answer. */
      500: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_6001` database unavailable. Repeat after a few seconds, with the same `Idempotency-Key` where there is one: it is never charged twice. */
      503: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'Retry-After': components['headers']['RetryAfter'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
    };
  };
  adminEndSession: {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description The session has ended */
      200: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          RateLimit: components['headers']['RateLimit'];
          'RateLimit-Policy': components['headers']['RateLimitPolicy'];
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "success": true
           *     }
           */
          'application/json': {
            /** @enum {boolean} */
            success: true;
          };
        };
      };
      /** @description `ERR_4006` invalid request. Do not repeat. `details.field` names what to correct, `details.allowed` what would be accepted. */
      400: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4005` unauthorized. On 401 refresh the session once and repeat; if that fails, onboard the guest again or sign in again. On 403 do not repeat: the caller is known, but not allowed. */
      401: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'WWW-Authenticate': components['headers']['WwwAuthenticate'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4005` unauthorized. On 401 refresh the session once and repeat; if that fails, onboard the guest again or sign in again. On 403 do not repeat: the caller is known, but not allowed. */
      403: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4004` rate limit exceeded. Wait for `Retry-After` seconds (also `details.retry_after`), then repeat the same request. */
      429: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'Retry-After': components['headers']['RetryAfter'];
          RateLimit: components['headers']['RateLimit'];
          'RateLimit-Policy': components['headers']['RateLimitPolicy'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_6003` internal error. Repeat once after a few seconds, with the same `Idempotency-Key`; if that fails, report the `X-Request-Id` of the answer. */
      500: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_6001` database unavailable. Repeat after a few seconds, with the same `Idempotency-Key` where there is one: it is never charged twice. */
      503: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'Retry-After': components['headers']['RetryAfter'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
    };
  };
  adminRefundCredits: {
    parameters: {
      query?: never;
      header?: {
        /** @description A UUID that the client creates, with or without double quotes. With it, a repeat returns the first response. */
        'Idempotency-Key'?: string;
      };
      path?: never;
      cookie?: never;
    };
    requestBody: {
      content: {
        'application/json': {
          /**
           * Format: uuid
           * @example 3f2504e0-4f89-41d3-9a0c-0305e82c3301
           */
          user_id: string;
          /** @description Credits to give back. */
          amount: number;
          /** @description Why; kept with the change. */
          reason: string;
        };
      };
    };
    responses: {
      /** @description The balance after the change */
      200: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          RateLimit: components['headers']['RateLimit'];
          'RateLimit-Policy': components['headers']['RateLimitPolicy'];
          'X-Idempotent-Replay': components['headers']['IdempotentReplay'];
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "success": true,
           *       "new_balance": 14
           *     }
           */
          'application/json': components['schemas']['NewBalance'];
        };
      };
      /** @description `ERR_4006` invalid request. Do not repeat. `details.field` names what to correct, `details.allowed` what would be accepted. */
      400: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4005` unauthorized. On 401 refresh the session once and repeat; if that fails, onboard the guest again or sign in again. On 403 do not repeat: the caller is known, but not allowed. */
      401: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'WWW-Authenticate': components['headers']['WwwAuthenticate'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4005` unauthorized. On 401 refresh the session once and repeat; if that fails, onboard the guest again or sign in again. On 403 do not repeat: the caller is known, but not allowed. */
      403: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4007` not found, or not yours. Do not repeat. Remove the object from your list and read the list again. */
      404: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4014` too large. Send less; `details.bytes_max` is the limit in bytes. */
      413: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4015` unsupported type. Send one of the content types in `details.allowed`. */
      415: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4009` idempotency key used for another request. A bug in the client: use a new `Idempotency-Key` for each new request, and the same key only for retries. */
      422: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4004` rate limit exceeded. Wait for `Retry-After` seconds (also `details.retry_after`), then repeat the same request. */
      429: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'Retry-After': components['headers']['RetryAfter'];
          RateLimit: components['headers']['RateLimit'];
          'RateLimit-Policy': components['headers']['RateLimitPolicy'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_6003` internal error. Repeat once after a few seconds, with the same `Idempotency-Key`; if that fails, report the `X-Request-Id` of the answer. */
      500: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_6001` database unavailable. Repeat after a few seconds, with the same `Idempotency-Key` where there is one: it is never charged twice. */
      503: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'Retry-After': components['headers']['RetryAfter'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
    };
  };
  adminAdjustCredits: {
    parameters: {
      query?: never;
      header?: {
        /** @description A UUID that the client creates, with or without double quotes. With it, a repeat returns the first response. */
        'Idempotency-Key'?: string;
      };
      path?: never;
      cookie?: never;
    };
    requestBody: {
      content: {
        'application/json': {
          /**
           * Format: uuid
           * @example 3f2504e0-4f89-41d3-9a0c-0305e82c3301
           */
          user_id: string;
          /** @description Credits to add, or to take if negative; not 0. */
          amount: number;
          /** @description Why; kept with the change. */
          reason: string;
        };
      };
    };
    responses: {
      /** @description The balance after the change */
      200: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          RateLimit: components['headers']['RateLimit'];
          'RateLimit-Policy': components['headers']['RateLimitPolicy'];
          'X-Idempotent-Replay': components['headers']['IdempotentReplay'];
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "success": true,
           *       "new_balance": 11
           *     }
           */
          'application/json': components['schemas']['NewBalance'];
        };
      };
      /** @description `ERR_4006` invalid request. Do not repeat. `details.field` names what to correct, `details.allowed` what would be accepted. */
      400: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4005` unauthorized. On 401 refresh the session once and repeat; if that fails, onboard the guest again or sign in again. On 403 do not repeat: the caller is known, but not allowed. */
      401: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'WWW-Authenticate': components['headers']['WwwAuthenticate'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4005` unauthorized. On 401 refresh the session once and repeat; if that fails, onboard the guest again or sign in again. On 403 do not repeat: the caller is known, but not allowed. */
      403: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4007` not found, or not yours. Do not repeat. Remove the object from your list and read the list again. */
      404: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4008` conflict with the current state. Read the current state and decide again. With `Retry-After`, repeat the same request after that many seconds. */
      409: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'Retry-After': components['headers']['RetryAfter'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4014` too large. Send less; `details.bytes_max` is the limit in bytes. */
      413: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4015` unsupported type. Send one of the content types in `details.allowed`. */
      415: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4009` idempotency key used for another request. A bug in the client: use a new `Idempotency-Key` for each new request, and the same key only for retries. */
      422: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4004` rate limit exceeded. Wait for `Retry-After` seconds (also `details.retry_after`), then repeat the same request. */
      429: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'Retry-After': components['headers']['RetryAfter'];
          RateLimit: components['headers']['RateLimit'];
          'RateLimit-Policy': components['headers']['RateLimitPolicy'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_6003` internal error. Repeat once after a few seconds, with the same `Idempotency-Key`; if that fails, report the `X-Request-Id` of the answer. */
      500: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_6001` database unavailable. Repeat after a few seconds, with the same `Idempotency-Key` where there is one: it is never charged twice. */
      503: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'Retry-After': components['headers']['RetryAfter'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
    };
  };
  adminBanUser: {
    parameters: {
      query?: never;
      header?: {
        /** @description A UUID that the client creates, with or without double quotes. With it, a repeat returns the first response. */
        'Idempotency-Key'?: string;
      };
      path?: never;
      cookie?: never;
    };
    requestBody: {
      content: {
        'application/json': {
          /**
           * Format: uuid
           * @example 3f2504e0-4f89-41d3-9a0c-0305e82c3301
           */
          user_id: string;
          /** @description Why; kept with the change. */
          reason: string;
        };
      };
    };
    responses: {
      /** @description The account is banned */
      200: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          RateLimit: components['headers']['RateLimit'];
          'RateLimit-Policy': components['headers']['RateLimitPolicy'];
          'X-Idempotent-Replay': components['headers']['IdempotentReplay'];
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "success": true
           *     }
           */
          'application/json': {
            /** @enum {boolean} */
            success: true;
          };
        };
      };
      /** @description `ERR_4006` invalid request. Do not repeat. `details.field` names what to correct, `details.allowed` what would be accepted. */
      400: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4005` unauthorized. On 401 refresh the session once and repeat; if that fails, onboard the guest again or sign in again. On 403 do not repeat: the caller is known, but not allowed. */
      401: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'WWW-Authenticate': components['headers']['WwwAuthenticate'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4005` unauthorized. On 401 refresh the session once and repeat; if that fails, onboard the guest again or sign in again. On 403 do not repeat: the caller is known, but not allowed. */
      403: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4007` not found, or not yours. Do not repeat. Remove the object from your list and read the list again. */
      404: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4014` too large. Send less; `details.bytes_max` is the limit in bytes. */
      413: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4015` unsupported type. Send one of the content types in `details.allowed`. */
      415: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4009` idempotency key used for another request. A bug in the client: use a new `Idempotency-Key` for each new request, and the same key only for retries. */
      422: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4004` rate limit exceeded. Wait for `Retry-After` seconds (also `details.retry_after`), then repeat the same request. */
      429: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'Retry-After': components['headers']['RetryAfter'];
          RateLimit: components['headers']['RateLimit'];
          'RateLimit-Policy': components['headers']['RateLimitPolicy'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_6003` internal error. Repeat once after a few seconds, with the same `Idempotency-Key`; if that fails, report the `X-Request-Id` of the answer. */
      500: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_6001` database unavailable. Repeat after a few seconds, with the same `Idempotency-Key` where there is one: it is never charged twice. */
      503: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'Retry-After': components['headers']['RetryAfter'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
    };
  };
  adminUnbanUser: {
    parameters: {
      query?: never;
      header?: {
        /** @description A UUID that the client creates, with or without double quotes. With it, a repeat returns the first response. */
        'Idempotency-Key'?: string;
      };
      path?: never;
      cookie?: never;
    };
    requestBody: {
      content: {
        'application/json': {
          /**
           * Format: uuid
           * @example 3f2504e0-4f89-41d3-9a0c-0305e82c3301
           */
          user_id: string;
          /** @description Why; kept with the change. */
          reason: string;
        };
      };
    };
    responses: {
      /** @description The account is not banned */
      200: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          RateLimit: components['headers']['RateLimit'];
          'RateLimit-Policy': components['headers']['RateLimitPolicy'];
          'X-Idempotent-Replay': components['headers']['IdempotentReplay'];
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "success": true
           *     }
           */
          'application/json': {
            /** @enum {boolean} */
            success: true;
          };
        };
      };
      /** @description `ERR_4006` invalid request. Do not repeat. `details.field` names what to correct, `details.allowed` what would be accepted. */
      400: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4005` unauthorized. On 401 refresh the session once and repeat; if that fails, onboard the guest again or sign in again. On 403 do not repeat: the caller is known, but not allowed. */
      401: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'WWW-Authenticate': components['headers']['WwwAuthenticate'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4005` unauthorized. On 401 refresh the session once and repeat; if that fails, onboard the guest again or sign in again. On 403 do not repeat: the caller is known, but not allowed. */
      403: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4007` not found, or not yours. Do not repeat. Remove the object from your list and read the list again. */
      404: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4014` too large. Send less; `details.bytes_max` is the limit in bytes. */
      413: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4015` unsupported type. Send one of the content types in `details.allowed`. */
      415: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4009` idempotency key used for another request. A bug in the client: use a new `Idempotency-Key` for each new request, and the same key only for retries. */
      422: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4004` rate limit exceeded. Wait for `Retry-After` seconds (also `details.retry_after`), then repeat the same request. */
      429: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'Retry-After': components['headers']['RetryAfter'];
          RateLimit: components['headers']['RateLimit'];
          'RateLimit-Policy': components['headers']['RateLimitPolicy'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_6003` internal error. Repeat once after a few seconds, with the same `Idempotency-Key`; if that fails, report the `X-Request-Id` of the answer. */
      500: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_6001` database unavailable. Repeat after a few seconds, with the same `Idempotency-Key` where there is one: it is never charged twice. */
      503: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'Retry-After': components['headers']['RetryAfter'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
    };
  };
  adminCancelJob: {
    parameters: {
      query?: never;
      header?: {
        /** @description A UUID that the client creates, with or without double quotes. With it, a repeat returns the first response. */
        'Idempotency-Key'?: string;
      };
      path?: never;
      cookie?: never;
    };
    requestBody: {
      content: {
        'application/json': {
          /**
           * Format: uuid
           * @example 3f2504e0-4f89-41d3-9a0c-0305e82c3301
           */
          job_id: string;
          /** @description Why; kept with the change. */
          reason: string;
        };
      };
    };
    responses: {
      /** @description What was given back */
      200: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          RateLimit: components['headers']['RateLimit'];
          'RateLimit-Policy': components['headers']['RateLimitPolicy'];
          'X-Idempotent-Replay': components['headers']['IdempotentReplay'];
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "success": true,
           *       "refunded": 4
           *     }
           */
          'application/json': components['schemas']['CancelledByAdmin'];
        };
      };
      /** @description `ERR_4006` invalid request. Do not repeat. `details.field` names what to correct, `details.allowed` what would be accepted. */
      400: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4005` unauthorized. On 401 refresh the session once and repeat; if that fails, onboard the guest again or sign in again. On 403 do not repeat: the caller is known, but not allowed. */
      401: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'WWW-Authenticate': components['headers']['WwwAuthenticate'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4005` unauthorized. On 401 refresh the session once and repeat; if that fails, onboard the guest again or sign in again. On 403 do not repeat: the caller is known, but not allowed. */
      403: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4007` not found, or not yours. Do not repeat. Remove the object from your list and read the list again. */
      404: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4008` conflict with the current state. Read the current state and decide again. With `Retry-After`, repeat the same request after that many seconds. */
      409: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'Retry-After': components['headers']['RetryAfter'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4014` too large. Send less; `details.bytes_max` is the limit in bytes. */
      413: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4015` unsupported type. Send one of the content types in `details.allowed`. */
      415: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4009` idempotency key used for another request. A bug in the client: use a new `Idempotency-Key` for each new request, and the same key only for retries. */
      422: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4004` rate limit exceeded. Wait for `Retry-After` seconds (also `details.retry_after`), then repeat the same request. */
      429: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'Retry-After': components['headers']['RetryAfter'];
          RateLimit: components['headers']['RateLimit'];
          'RateLimit-Policy': components['headers']['RateLimitPolicy'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_6003` internal error. Repeat once after a few seconds, with the same `Idempotency-Key`; if that fails, report the `X-Request-Id` of the answer. */
      500: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_6001` database unavailable. Repeat after a few seconds, with the same `Idempotency-Key` where there is one: it is never charged twice. */
      503: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'Retry-After': components['headers']['RetryAfter'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
    };
  };
  adminToggleModel: {
    parameters: {
      query?: never;
      header?: {
        /** @description A UUID that the client creates, with or without double quotes. With it, a repeat returns the first response. */
        'Idempotency-Key'?: string;
      };
      path?: never;
      cookie?: never;
    };
    requestBody: {
      content: {
        'application/json': {
          /**
           * Format: uuid
           * @example 3f2504e0-4f89-41d3-9a0c-0305e82c3301
           */
          model_id: string;
          is_available: boolean;
          /** @description Why; kept with the change. */
          reason: string;
        };
      };
    };
    responses: {
      /** @description The model after the change */
      200: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          RateLimit: components['headers']['RateLimit'];
          'RateLimit-Policy': components['headers']['RateLimitPolicy'];
          'X-Idempotent-Replay': components['headers']['IdempotentReplay'];
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "id": "3f2504e0-4f89-41d3-9a0c-0305e82c3301",
           *       "name": "Cinematic",
           *       "category": "cinematic",
           *       "description": "Cinematic scenes with realistic light and motion.",
           *       "cost_per_generation": 8,
           *       "pricing": {
           *         "credits": 2,
           *         "per_seconds": 1
           *       },
           *       "provider": "fal",
           *       "provider_model_id": "fal-ai/veo3.1",
           *       "is_featured": true,
           *       "is_available": false,
           *       "requires_image": false,
           *       "prompt_max": 2000,
           *       "thumbnail_url": null,
           *       "settings_schema": {
           *         "type": "object",
           *         "properties": {
           *           "duration": {
           *             "type": "integer",
           *             "enum": [
           *               4,
           *               6,
           *               8
           *             ],
           *             "default": 4
           *           }
           *         }
           *       },
           *       "created_at": "2026-11-23T09:30:00.000Z",
           *       "updated_at": "2026-11-30T09:30:00.000Z"
           *     }
           */
          'application/json': {
            /** Format: uuid */
            id: string;
            name: string;
            category: string;
            description: string;
            /** @description The price of one generation with the default settings, in credits. */
            cost_per_generation: number;
            pricing: {
              /** @description The price per started `per_seconds`, or of the whole video if `per_seconds` is null, in credits. */
              credits: number;
              per_seconds: number | null;
            };
            provider: string;
            provider_model_id: string;
            is_featured: boolean;
            /** @description Whether it is on offer, where its provider is configured. */
            is_available: boolean;
            requires_image: boolean;
            prompt_max: number;
            thumbnail_url: string | null;
            settings_schema: {
              [key: string]: unknown;
            };
            /**
             * Format: date-time
             * @example 2026-11-23T09:30:00.000Z
             */
            created_at: string;
            /**
             * Format: date-time
             * @example 2026-11-23T09:30:00.000Z
             */
            updated_at: string;
          };
        };
      };
      /** @description `ERR_4006` invalid request. Do not repeat. `details.field` names what to correct, `details.allowed` what would be accepted. */
      400: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4005` unauthorized. On 401 refresh the session once and repeat; if that fails, onboard the guest again or sign in again. On 403 do not repeat: the caller is known, but not allowed. */
      401: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'WWW-Authenticate': components['headers']['WwwAuthenticate'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4005` unauthorized. On 401 refresh the session once and repeat; if that fails, onboard the guest again or sign in again. On 403 do not repeat: the caller is known, but not allowed. */
      403: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4007` not found, or not yours. Do not repeat. Remove the object from your list and read the list again. */
      404: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4014` too large. Send less; `details.bytes_max` is the limit in bytes. */
      413: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4015` unsupported type. Send one of the content types in `details.allowed`. */
      415: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4009` idempotency key used for another request. A bug in the client: use a new `Idempotency-Key` for each new request, and the same key only for retries. */
      422: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4004` rate limit exceeded. Wait for `Retry-After` seconds (also `details.retry_after`), then repeat the same request. */
      429: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'Retry-After': components['headers']['RetryAfter'];
          RateLimit: components['headers']['RateLimit'];
          'RateLimit-Policy': components['headers']['RateLimitPolicy'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_6003` internal error. Repeat once after a few seconds, with the same `Idempotency-Key`; if that fails, report the `X-Request-Id` of the answer. */
      500: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_6001` database unavailable. Repeat after a few seconds, with the same `Idempotency-Key` where there is one: it is never charged twice. */
      503: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'Retry-After': components['headers']['RetryAfter'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
    };
  };
  adminUpdateModel: {
    parameters: {
      query?: never;
      header?: {
        /** @description A UUID that the client creates, with or without double quotes. With it, a repeat returns the first response. */
        'Idempotency-Key'?: string;
      };
      path?: never;
      cookie?: never;
    };
    requestBody: {
      content: {
        'application/json': {
          /**
           * Format: uuid
           * @example 3f2504e0-4f89-41d3-9a0c-0305e82c3301
           */
          model_id: string;
          name?: string | null;
          description?: string | null;
          /** @description The price per started `price_per_seconds`, or of the whole video where the model is sold at a flat price. */
          price_credits?: number | null;
          /** @description The billing unit, in seconds of video. It turns a flat price into one by the second; a unit of at least the longest duration is as good as flat. */
          price_per_seconds?: number | null;
          is_featured?: boolean | null;
          /** @description A flat JSON Schema (2020-12). Of each setting: `type`, `enum`, `minimum`, `maximum`, `default`, and nothing else. `duration` is a whole number of seconds, from 1 to 3600, and needs a default. */
          settings_schema?: {
            /** @enum {string} */
            $schema?: 'https://json-schema.org/draft/2020-12/schema';
            /** @enum {string} */
            type: 'object';
            properties: {
              [key: string]: {
                /** @enum {string} */
                type: 'integer' | 'string' | 'boolean';
                /** @description All allowed values. */
                enum?: (string | number | boolean)[];
                minimum?: number;
                maximum?: number;
                default?: string | number | boolean;
              };
            };
          } | null;
          /** @description An https URL; an empty text removes it. */
          thumbnail_url?: string | null;
          /** @description Why; kept with the change. */
          reason: string;
        };
      };
    };
    responses: {
      /** @description The model after the change */
      200: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          RateLimit: components['headers']['RateLimit'];
          'RateLimit-Policy': components['headers']['RateLimitPolicy'];
          'X-Idempotent-Replay': components['headers']['IdempotentReplay'];
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "id": "3f2504e0-4f89-41d3-9a0c-0305e82c3301",
           *       "name": "Cinematic",
           *       "category": "cinematic",
           *       "description": "Cinematic scenes with realistic light and motion.",
           *       "cost_per_generation": 8,
           *       "pricing": {
           *         "credits": 2,
           *         "per_seconds": 1
           *       },
           *       "provider": "fal",
           *       "provider_model_id": "fal-ai/veo3.1",
           *       "is_featured": true,
           *       "is_available": true,
           *       "requires_image": false,
           *       "prompt_max": 2000,
           *       "thumbnail_url": null,
           *       "settings_schema": {
           *         "type": "object",
           *         "properties": {
           *           "duration": {
           *             "type": "integer",
           *             "enum": [
           *               4,
           *               6,
           *               8
           *             ],
           *             "default": 4
           *           }
           *         }
           *       },
           *       "created_at": "2026-11-23T09:30:00.000Z",
           *       "updated_at": "2026-11-30T09:30:00.000Z"
           *     }
           */
          'application/json': {
            /** Format: uuid */
            id: string;
            name: string;
            category: string;
            description: string;
            /** @description The price of one generation with the default settings, in credits. */
            cost_per_generation: number;
            pricing: {
              /** @description The price per started `per_seconds`, or of the whole video if `per_seconds` is null, in credits. */
              credits: number;
              per_seconds: number | null;
            };
            provider: string;
            provider_model_id: string;
            is_featured: boolean;
            /** @description Whether it is on offer, where its provider is configured. */
            is_available: boolean;
            requires_image: boolean;
            prompt_max: number;
            thumbnail_url: string | null;
            settings_schema: {
              [key: string]: unknown;
            };
            /**
             * Format: date-time
             * @example 2026-11-23T09:30:00.000Z
             */
            created_at: string;
            /**
             * Format: date-time
             * @example 2026-11-23T09:30:00.000Z
             */
            updated_at: string;
          };
        };
      };
      /** @description `ERR_4006` invalid request. Do not repeat. `details.field` names what to correct, `details.allowed` what would be accepted. */
      400: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4005` unauthorized. On 401 refresh the session once and repeat; if that fails, onboard the guest again or sign in again. On 403 do not repeat: the caller is known, but not allowed. */
      401: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'WWW-Authenticate': components['headers']['WwwAuthenticate'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4005` unauthorized. On 401 refresh the session once and repeat; if that fails, onboard the guest again or sign in again. On 403 do not repeat: the caller is known, but not allowed. */
      403: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4007` not found, or not yours. Do not repeat. Remove the object from your list and read the list again. */
      404: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4014` too large. Send less; `details.bytes_max` is the limit in bytes. */
      413: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4015` unsupported type. Send one of the content types in `details.allowed`. */
      415: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4009` idempotency key used for another request. A bug in the client: use a new `Idempotency-Key` for each new request, and the same key only for retries. */
      422: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4004` rate limit exceeded. Wait for `Retry-After` seconds (also `details.retry_after`), then repeat the same request. */
      429: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'Retry-After': components['headers']['RetryAfter'];
          RateLimit: components['headers']['RateLimit'];
          'RateLimit-Policy': components['headers']['RateLimitPolicy'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_6003` internal error. Repeat once after a few seconds, with the same `Idempotency-Key`; if that fails, report the `X-Request-Id` of the answer. */
      500: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_6001` database unavailable. Repeat after a few seconds, with the same `Idempotency-Key` where there is one: it is never charged twice. */
      503: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'Retry-After': components['headers']['RetryAfter'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
    };
  };
  adminCreateCode: {
    parameters: {
      query?: never;
      header?: {
        /** @description A UUID that the client creates, with or without double quotes. With it, a repeat returns the first response. */
        'Idempotency-Key'?: string;
      };
      path?: never;
      cookie?: never;
    };
    requestBody: {
      content: {
        'application/json': {
          /** @description 4 to 40 letters and digits; case, dashes and spaces do not matter. Without it, one that cannot be guessed is made. */
          code?: string | null;
          /** @description What each account that redeems it gets. */
          credits: number;
          /** @description How many accounts can redeem it. */
          uses_max: number;
          /**
           * Format: date-time
           * @description In the future; without it, the code does not expire.
           */
          expires_at?: string | null;
          /** @description Why; kept with the change. */
          reason: string;
        };
      };
    };
    responses: {
      /** @description The code */
      200: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          RateLimit: components['headers']['RateLimit'];
          'RateLimit-Policy': components['headers']['RateLimitPolicy'];
          'X-Idempotent-Replay': components['headers']['IdempotentReplay'];
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "id": "c56a4180-65aa-42ec-a945-5fd21dec0538",
           *       "code": "SUMMER2027",
           *       "credits": 5,
           *       "uses": 0,
           *       "uses_max": 1000,
           *       "expires_at": "2027-09-01T00:00:00.000Z",
           *       "created_at": "2026-11-30T09:30:00.000Z"
           *     }
           */
          'application/json': {
            /** Format: uuid */
            id: string;
            /** @description As it is stored: capitals and digits. */
            code: string;
            /** @description What each account that redeems it gets, in credits. */
            credits: number;
            /** @description How many accounts have redeemed it. */
            uses: number;
            uses_max: number;
            /**
             * Format: date-time
             * @example 2026-11-23T09:30:00.000Z
             */
            expires_at: string | null;
            /**
             * Format: date-time
             * @example 2026-11-23T09:30:00.000Z
             */
            created_at: string;
          };
        };
      };
      /** @description `ERR_4006` invalid request. Do not repeat. `details.field` names what to correct, `details.allowed` what would be accepted. */
      400: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4005` unauthorized. On 401 refresh the session once and repeat; if that fails, onboard the guest again or sign in again. On 403 do not repeat: the caller is known, but not allowed. */
      401: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'WWW-Authenticate': components['headers']['WwwAuthenticate'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4005` unauthorized. On 401 refresh the session once and repeat; if that fails, onboard the guest again or sign in again. On 403 do not repeat: the caller is known, but not allowed. */
      403: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4008` conflict with the current state. Read the current state and decide again. With `Retry-After`, repeat the same request after that many seconds. */
      409: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'Retry-After': components['headers']['RetryAfter'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4014` too large. Send less; `details.bytes_max` is the limit in bytes. */
      413: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4015` unsupported type. Send one of the content types in `details.allowed`. */
      415: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4009` idempotency key used for another request. A bug in the client: use a new `Idempotency-Key` for each new request, and the same key only for retries. */
      422: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4004` rate limit exceeded. Wait for `Retry-After` seconds (also `details.retry_after`), then repeat the same request. */
      429: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'Retry-After': components['headers']['RetryAfter'];
          RateLimit: components['headers']['RateLimit'];
          'RateLimit-Policy': components['headers']['RateLimitPolicy'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_6003` internal error. Repeat once after a few seconds, with the same `Idempotency-Key`; if that fails, report the `X-Request-Id` of the answer. */
      500: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_6001` database unavailable. Repeat after a few seconds, with the same `Idempotency-Key` where there is one: it is never charged twice. */
      503: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'Retry-After': components['headers']['RetryAfter'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
    };
  };
  adminUpdateProduct: {
    parameters: {
      query?: never;
      header?: {
        /** @description A UUID that the client creates, with or without double quotes. With it, a repeat returns the first response. */
        'Idempotency-Key'?: string;
      };
      path?: never;
      cookie?: never;
    };
    requestBody: {
      content: {
        'application/json': {
          product_id: string;
          /** @description What a purchase adds from now on, without the bonus. */
          credits?: number | null;
          display_name?: string | null;
          /** @description Whether it is listed. A purchase of one that is not is credited all the same. */
          is_active?: boolean | null;
          /** @description Why; kept with the change. */
          reason: string;
        };
      };
    };
    responses: {
      /** @description The product after the change */
      200: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          RateLimit: components['headers']['RateLimit'];
          'RateLimit-Policy': components['headers']['RateLimitPolicy'];
          'X-Idempotent-Replay': components['headers']['IdempotentReplay'];
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "product_id": "com.rendio.credits.50",
           *       "display_name": "50 credits",
           *       "credits": 55,
           *       "bonus_credits": 0,
           *       "web_price_cents": 1199,
           *       "web_currency": "usd",
           *       "is_active": true,
           *       "created_at": "2026-11-23T09:30:00.000Z",
           *       "updated_at": "2026-11-30T09:30:00.000Z"
           *     }
           */
          'application/json': {
            product_id: string;
            display_name: string;
            /** @description What a purchase adds, in credits. */
            credits: number;
            /** @description What a purchase adds besides, in credits. */
            bonus_credits: number;
            web_price_cents: number | null;
            web_currency: string;
            is_active: boolean;
            /**
             * Format: date-time
             * @example 2026-11-23T09:30:00.000Z
             */
            created_at: string;
            /**
             * Format: date-time
             * @example 2026-11-23T09:30:00.000Z
             */
            updated_at: string;
          };
        };
      };
      /** @description `ERR_4006` invalid request. Do not repeat. `details.field` names what to correct, `details.allowed` what would be accepted. */
      400: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4005` unauthorized. On 401 refresh the session once and repeat; if that fails, onboard the guest again or sign in again. On 403 do not repeat: the caller is known, but not allowed. */
      401: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'WWW-Authenticate': components['headers']['WwwAuthenticate'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4005` unauthorized. On 401 refresh the session once and repeat; if that fails, onboard the guest again or sign in again. On 403 do not repeat: the caller is known, but not allowed. */
      403: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4007` not found, or not yours. Do not repeat. Remove the object from your list and read the list again. */
      404: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4014` too large. Send less; `details.bytes_max` is the limit in bytes. */
      413: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4015` unsupported type. Send one of the content types in `details.allowed`. */
      415: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4009` idempotency key used for another request. A bug in the client: use a new `Idempotency-Key` for each new request, and the same key only for retries. */
      422: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4004` rate limit exceeded. Wait for `Retry-After` seconds (also `details.retry_after`), then repeat the same request. */
      429: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'Retry-After': components['headers']['RetryAfter'];
          RateLimit: components['headers']['RateLimit'];
          'RateLimit-Policy': components['headers']['RateLimitPolicy'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_6003` internal error. Repeat once after a few seconds, with the same `Idempotency-Key`; if that fails, report the `X-Request-Id` of the answer. */
      500: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_6001` database unavailable. Repeat after a few seconds, with the same `Idempotency-Key` where there is one: it is never charged twice. */
      503: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'Retry-After': components['headers']['RetryAfter'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
    };
  };
  adminDeliveries: {
    parameters: {
      query?: {
        /** @description The maximum number of items to return. */
        limit?: number;
        /** @description The `next_cursor` of the previous page, with the same filters. */
        cursor?: string;
        /** @description Only deliveries in this state. */
        state?: 'pending' | 'delivered' | 'failed';
        /** @description Only events of this type. */
        type?:
          | 'video.completed'
          | 'video.failed'
          | 'credits.changed'
          | 'purchase.completed'
          | 'purchase.refunded'
          | 'account.merged'
          | 'account.deleted';
        /** @description Only events of this account. */
        user_id?: string;
      };
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description A page of the list */
      200: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          RateLimit: components['headers']['RateLimit'];
          'RateLimit-Policy': components['headers']['RateLimitPolicy'];
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "deliveries": [
           *         {
           *           "id": "5b0f3c1e-2d4a-4e6b-8f7a-1c2d3e4f5a6b",
           *           "user_id": "7c9e6679-7425-40de-944b-e07fc1f90ae7",
           *           "type": "video.failed",
           *           "state": "pending",
           *           "attempts": 1,
           *           "last_status": 503,
           *           "last_error": null,
           *           "data": {
           *             "user_id": "7c9e6679-7425-40de-944b-e07fc1f90ae7",
           *             "job_id": "9b2f8f3c-5f0e-4b8e-9d0e-2a6c1f7d4e55",
           *             "error_code": "ERR_5001",
           *             "credits_refunded": 4
           *           },
           *           "created_at": "2026-11-23T09:31:00.000Z",
           *           "last_attempt_at": "2026-11-23T09:31:00.000Z",
           *           "next_attempt_at": "2026-11-23T09:31:05.000Z",
           *           "delivered_at": null
           *         }
           *       ],
           *       "next_cursor": null
           *     }
           */
          'application/json': components['schemas']['Deliveries'];
        };
      };
      /** @description `ERR_4006` invalid request. Do not repeat. `details.field` names what to correct, `details.allowed` what would be accepted. */
      400: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4005` unauthorized. On 401 refresh the session once and repeat; if that fails, onboard the guest again or sign in again. On 403 do not repeat: the caller is known, but not allowed. */
      401: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'WWW-Authenticate': components['headers']['WwwAuthenticate'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4005` unauthorized. On 401 refresh the session once and repeat; if that fails, onboard the guest again or sign in again. On 403 do not repeat: the caller is known, but not allowed. */
      403: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4004` rate limit exceeded. Wait for `Retry-After` seconds (also `details.retry_after`), then repeat the same request. */
      429: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'Retry-After': components['headers']['RetryAfter'];
          RateLimit: components['headers']['RateLimit'];
          'RateLimit-Policy': components['headers']['RateLimitPolicy'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_6003` internal error. Repeat once after a few seconds, with the same `Idempotency-Key`; if that fails, report the `X-Request-Id` of the answer. */
      500: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_6001` database unavailable. Repeat after a few seconds, with the same `Idempotency-Key` where there is one: it is never charged twice. */
      503: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'Retry-After': components['headers']['RetryAfter'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
    };
  };
  adminReplayDelivery: {
    parameters: {
      query?: never;
      header?: {
        /** @description A UUID that the client creates, with or without double quotes. With it, a repeat returns the first response. */
        'Idempotency-Key'?: string;
      };
      path?: never;
      cookie?: never;
    };
    requestBody: {
      content: {
        'application/json': {
          /**
           * Format: uuid
           * @description The delivery, which is the `webhook-id` of its requests.
           * @example 3f2504e0-4f89-41d3-9a0c-0305e82c3301
           */
          delivery_id: string;
          /** @description Why; kept with the change. */
          reason: string;
        };
      };
    };
    responses: {
      /** @description It is sent as soon as a worker has time */
      200: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          RateLimit: components['headers']['RateLimit'];
          'RateLimit-Policy': components['headers']['RateLimitPolicy'];
          'X-Idempotent-Replay': components['headers']['IdempotentReplay'];
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "success": true
           *     }
           */
          'application/json': {
            /** @enum {boolean} */
            success: true;
          };
        };
      };
      /** @description `ERR_4006` invalid request. Do not repeat. `details.field` names what to correct, `details.allowed` what would be accepted. */
      400: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4005` unauthorized. On 401 refresh the session once and repeat; if that fails, onboard the guest again or sign in again. On 403 do not repeat: the caller is known, but not allowed. */
      401: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'WWW-Authenticate': components['headers']['WwwAuthenticate'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4005` unauthorized. On 401 refresh the session once and repeat; if that fails, onboard the guest again or sign in again. On 403 do not repeat: the caller is known, but not allowed. */
      403: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4007` not found, or not yours. Do not repeat. Remove the object from your list and read the list again. */
      404: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4014` too large. Send less; `details.bytes_max` is the limit in bytes. */
      413: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4015` unsupported type. Send one of the content types in `details.allowed`. */
      415: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4009` idempotency key used for another request. A bug in the client: use a new `Idempotency-Key` for each new request, and the same key only for retries. */
      422: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4004` rate limit exceeded. Wait for `Retry-After` seconds (also `details.retry_after`), then repeat the same request. */
      429: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'Retry-After': components['headers']['RetryAfter'];
          RateLimit: components['headers']['RateLimit'];
          'RateLimit-Policy': components['headers']['RateLimitPolicy'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_6003` internal error. Repeat once after a few seconds, with the same `Idempotency-Key`; if that fails, report the `X-Request-Id` of the answer. */
      500: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4017` switched off by configuration. Hide the feature. The operator of the server can configure it. */
      501: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_6001` database unavailable. Repeat after a few seconds, with the same `Idempotency-Key` where there is one: it is never charged twice. */
      503: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'Retry-After': components['headers']['RetryAfter'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
    };
  };
  adminPause: {
    parameters: {
      query?: never;
      header?: {
        /** @description A UUID that the client creates, with or without double quotes. With it, a repeat returns the first response. */
        'Idempotency-Key'?: string;
      };
      path?: never;
      cookie?: never;
    };
    requestBody: {
      content: {
        'application/json': {
          /** @description `true` stops the sale of videos, `false` goes on with it. */
          is_paused: boolean;
          /** @description Why; kept with the change. */
          reason: string;
        };
      };
    };
    responses: {
      /** @description It is stopped, or goes on */
      200: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          RateLimit: components['headers']['RateLimit'];
          'RateLimit-Policy': components['headers']['RateLimitPolicy'];
          'X-Idempotent-Replay': components['headers']['IdempotentReplay'];
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "success": true
           *     }
           */
          'application/json': {
            /** @enum {boolean} */
            success: true;
          };
        };
      };
      /** @description `ERR_4006` invalid request. Do not repeat. `details.field` names what to correct, `details.allowed` what would be accepted. */
      400: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4005` unauthorized. On 401 refresh the session once and repeat; if that fails, onboard the guest again or sign in again. On 403 do not repeat: the caller is known, but not allowed. */
      401: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'WWW-Authenticate': components['headers']['WwwAuthenticate'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4005` unauthorized. On 401 refresh the session once and repeat; if that fails, onboard the guest again or sign in again. On 403 do not repeat: the caller is known, but not allowed. */
      403: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4014` too large. Send less; `details.bytes_max` is the limit in bytes. */
      413: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4015` unsupported type. Send one of the content types in `details.allowed`. */
      415: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4009` idempotency key used for another request. A bug in the client: use a new `Idempotency-Key` for each new request, and the same key only for retries. */
      422: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4004` rate limit exceeded. Wait for `Retry-After` seconds (also `details.retry_after`), then repeat the same request. */
      429: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'Retry-After': components['headers']['RetryAfter'];
          RateLimit: components['headers']['RateLimit'];
          'RateLimit-Policy': components['headers']['RateLimitPolicy'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_6003` internal error. Repeat once after a few seconds, with the same `Idempotency-Key`; if that fails, report the `X-Request-Id` of the answer. */
      500: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_6001` database unavailable. Repeat after a few seconds, with the same `Idempotency-Key` where there is one: it is never charged twice. */
      503: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'Retry-After': components['headers']['RetryAfter'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
    };
  };
  adminUsers: {
    parameters: {
      query?: {
        /** @description Whole: an id of a user, a merged guest, a job, a session, a ledger row, a purchase, an upload or a request, a store’s transaction or notification, a provider’s job, an e-mail address in any case, or an Apple sub. */
        query?: string;
        /** @description The first day (`2026-11-01`, in UTC) or instant. */
        from?: string;
        /** @description The last day (`2026-11-30`, in UTC) or instant; it is included. */
        to?: string;
        /** @description The maximum number of items to return. */
        limit?: number;
        /** @description The `next_cursor` of the previous page, with the same filters. */
        cursor?: string;
      };
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description A page */
      200: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          RateLimit: components['headers']['RateLimit'];
          'RateLimit-Policy': components['headers']['RateLimitPolicy'];
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "users": [
           *         {
           *           "id": "7c9e6679-7425-40de-944b-e07fc1f90ae7",
           *           "email": "grace@example.com",
           *           "is_guest": false,
           *           "is_banned": false,
           *           "credits_remaining": 6,
           *           "credits_total": 10,
           *           "created_at": "2026-11-23T09:31:00.000Z",
           *           "deleted_at": null
           *         }
           *       ],
           *       "next_cursor": null
           *     }
           */
          'application/json': {
            users: components['schemas']['AdminUser'][];
            /** @description Send it as `cursor` to get the next page; null on the last page. A page may have fewer rows than asked for, or none, and still be followed by others: filters without an index are compared with a bounded number of rows at a time. */
            next_cursor: string | null;
          };
        };
      };
      /** @description `ERR_4006` invalid request. Do not repeat. `details.field` names what to correct, `details.allowed` what would be accepted. */
      400: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4005` unauthorized. On 401 refresh the session once and repeat; if that fails, onboard the guest again or sign in again. On 403 do not repeat: the caller is known, but not allowed. */
      401: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'WWW-Authenticate': components['headers']['WwwAuthenticate'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4005` unauthorized. On 401 refresh the session once and repeat; if that fails, onboard the guest again or sign in again. On 403 do not repeat: the caller is known, but not allowed. */
      403: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4004` rate limit exceeded. Wait for `Retry-After` seconds (also `details.retry_after`), then repeat the same request. */
      429: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'Retry-After': components['headers']['RetryAfter'];
          RateLimit: components['headers']['RateLimit'];
          'RateLimit-Policy': components['headers']['RateLimitPolicy'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_6003` internal error. Repeat once after a few seconds, with the same `Idempotency-Key`; if that fails, report the `X-Request-Id` of the answer. */
      500: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_6001` database unavailable. Repeat after a few seconds, with the same `Idempotency-Key` where there is one: it is never charged twice. */
      503: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'Retry-After': components['headers']['RetryAfter'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
    };
  };
  adminJobs: {
    parameters: {
      query?: {
        /** @description Only those with this `user_id`. */
        user_id?: string;
        /** @description Only those with this `status`. */
        status?: 'pending' | 'processing' | 'completed' | 'failed';
        /** @description Only those with this `model_id`. */
        model_id?: string;
        /** @description Only those with this `provider`. */
        provider?: string;
        /** @description Only those with this `error_code`. */
        error_code?: string;
        /** @description The first day (`2026-11-01`, in UTC) or instant. */
        from?: string;
        /** @description The last day (`2026-11-30`, in UTC) or instant; it is included. */
        to?: string;
        /** @description The maximum number of items to return. */
        limit?: number;
        /** @description The `next_cursor` of the previous page, with the same filters. */
        cursor?: string;
      };
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description A page */
      200: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          RateLimit: components['headers']['RateLimit'];
          'RateLimit-Policy': components['headers']['RateLimitPolicy'];
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "jobs": [
           *         {
           *           "job_id": "9b2f8f3c-5f0e-4b8e-9d0e-2a6c1f7d4e55",
           *           "user_id": "7c9e6679-7425-40de-944b-e07fc1f90ae7",
           *           "model_id": "3f2504e0-4f89-41d3-9a0c-0305e82c3301",
           *           "model_name": "Cinematic",
           *           "provider": "fal",
           *           "provider_job_id": "764cabcf-b745-4b3e-ae38-1200304cf45b",
           *           "status": "completed",
           *           "credits_used": 4,
           *           "error_code": null,
           *           "error_reason": null,
           *           "created_at": "2026-11-23T09:31:00.000Z",
           *           "submitted_at": "2026-11-23T09:31:00.000Z",
           *           "completed_at": "2026-11-23T09:32:10.000Z",
           *           "deleted_at": null
           *         }
           *       ],
           *       "next_cursor": null
           *     }
           */
          'application/json': {
            jobs: components['schemas']['AdminJob'][];
            /** @description Send it as `cursor` to get the next page; null on the last page. A page may have fewer rows than asked for, or none, and still be followed by others: filters without an index are compared with a bounded number of rows at a time. */
            next_cursor: string | null;
          };
        };
      };
      /** @description `ERR_4006` invalid request. Do not repeat. `details.field` names what to correct, `details.allowed` what would be accepted. */
      400: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4005` unauthorized. On 401 refresh the session once and repeat; if that fails, onboard the guest again or sign in again. On 403 do not repeat: the caller is known, but not allowed. */
      401: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'WWW-Authenticate': components['headers']['WwwAuthenticate'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4005` unauthorized. On 401 refresh the session once and repeat; if that fails, onboard the guest again or sign in again. On 403 do not repeat: the caller is known, but not allowed. */
      403: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4004` rate limit exceeded. Wait for `Retry-After` seconds (also `details.retry_after`), then repeat the same request. */
      429: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'Retry-After': components['headers']['RetryAfter'];
          RateLimit: components['headers']['RateLimit'];
          'RateLimit-Policy': components['headers']['RateLimitPolicy'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_6003` internal error. Repeat once after a few seconds, with the same `Idempotency-Key`; if that fails, report the `X-Request-Id` of the answer. */
      500: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_6001` database unavailable. Repeat after a few seconds, with the same `Idempotency-Key` where there is one: it is never charged twice. */
      503: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'Retry-After': components['headers']['RetryAfter'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
    };
  };
  adminTransactions: {
    parameters: {
      query?: {
        /** @description Only those with this `user_id`. */
        user_id?: string;
        /** @description Only those with this `reason`. */
        reason?: string;
        /** @description Only those with this `job_id`. */
        job_id?: string;
        /** @description Only those with this `transaction_id`. */
        transaction_id?: string;
        /** @description Only those with this `purchase_id`. */
        purchase_id?: string;
        /** @description The first day (`2026-11-01`, in UTC) or instant. */
        from?: string;
        /** @description The last day (`2026-11-30`, in UTC) or instant; it is included. */
        to?: string;
        /** @description The maximum number of items to return. */
        limit?: number;
        /** @description The `next_cursor` of the previous page, with the same filters. */
        cursor?: string;
      };
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description A page */
      200: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          RateLimit: components['headers']['RateLimit'];
          'RateLimit-Policy': components['headers']['RateLimitPolicy'];
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "transactions": [
           *         {
           *           "id": "c56a4180-65aa-42ec-a945-5fd21dec0538",
           *           "user_id": "7c9e6679-7425-40de-944b-e07fc1f90ae7",
           *           "change": -4,
           *           "reason": "video_generation",
           *           "balance_after": 6,
           *           "job_id": "9b2f8f3c-5f0e-4b8e-9d0e-2a6c1f7d4e55",
           *           "transaction_id": null,
           *           "purchase_id": null,
           *           "created_at": "2026-11-23T09:31:00.000Z"
           *         }
           *       ],
           *       "next_cursor": null
           *     }
           */
          'application/json': {
            transactions: components['schemas']['AdminTransaction'][];
            /** @description Send it as `cursor` to get the next page; null on the last page. A page may have fewer rows than asked for, or none, and still be followed by others: filters without an index are compared with a bounded number of rows at a time. */
            next_cursor: string | null;
          };
        };
      };
      /** @description `ERR_4006` invalid request. Do not repeat. `details.field` names what to correct, `details.allowed` what would be accepted. */
      400: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4005` unauthorized. On 401 refresh the session once and repeat; if that fails, onboard the guest again or sign in again. On 403 do not repeat: the caller is known, but not allowed. */
      401: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'WWW-Authenticate': components['headers']['WwwAuthenticate'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4005` unauthorized. On 401 refresh the session once and repeat; if that fails, onboard the guest again or sign in again. On 403 do not repeat: the caller is known, but not allowed. */
      403: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4004` rate limit exceeded. Wait for `Retry-After` seconds (also `details.retry_after`), then repeat the same request. */
      429: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'Retry-After': components['headers']['RetryAfter'];
          RateLimit: components['headers']['RateLimit'];
          'RateLimit-Policy': components['headers']['RateLimitPolicy'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_6003` internal error. Repeat once after a few seconds, with the same `Idempotency-Key`; if that fails, report the `X-Request-Id` of the answer. */
      500: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_6001` database unavailable. Repeat after a few seconds, with the same `Idempotency-Key` where there is one: it is never charged twice. */
      503: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'Retry-After': components['headers']['RetryAfter'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
    };
  };
  adminPurchases: {
    parameters: {
      query?: {
        /** @description Only those with this `user_id`. */
        user_id?: string;
        /** @description Only those with this `transaction_id`. */
        transaction_id?: string;
        /** @description Only those with this `product_id`. */
        product_id?: string;
        /** @description Only those with this `is_refunded`. */
        is_refunded?: 'true' | 'false';
        /** @description Only those with this `store`. */
        store?: 'apple' | 'stripe';
        /** @description Only those with this `environment`. */
        environment?: string;
        /** @description The first day (`2026-11-01`, in UTC) or instant. */
        from?: string;
        /** @description The last day (`2026-11-30`, in UTC) or instant; it is included. */
        to?: string;
        /** @description The maximum number of items to return. */
        limit?: number;
        /** @description The `next_cursor` of the previous page, with the same filters. */
        cursor?: string;
      };
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description A page */
      200: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          RateLimit: components['headers']['RateLimit'];
          'RateLimit-Policy': components['headers']['RateLimitPolicy'];
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "purchases": [
           *         {
           *           "id": "c56a4180-65aa-42ec-a945-5fd21dec0538",
           *           "store": "apple",
           *           "environment": "Production",
           *           "transaction_id": "2000000123456789",
           *           "user_id": "7c9e6679-7425-40de-944b-e07fc1f90ae7",
           *           "product_id": "com.rendio.credits.10",
           *           "quantity": 1,
           *           "credits": 10,
           *           "taken_back": 0,
           *           "is_refunded": false,
           *           "price": 4.99,
           *           "currency": "USD",
           *           "purchased_at": "2026-11-23T09:31:00.000Z",
           *           "created_at": "2026-11-23T09:31:00.000Z"
           *         }
           *       ],
           *       "next_cursor": null
           *     }
           */
          'application/json': {
            purchases: components['schemas']['AdminPurchase'][];
            /** @description Send it as `cursor` to get the next page; null on the last page. A page may have fewer rows than asked for, or none, and still be followed by others: filters without an index are compared with a bounded number of rows at a time. */
            next_cursor: string | null;
          };
        };
      };
      /** @description `ERR_4006` invalid request. Do not repeat. `details.field` names what to correct, `details.allowed` what would be accepted. */
      400: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4005` unauthorized. On 401 refresh the session once and repeat; if that fails, onboard the guest again or sign in again. On 403 do not repeat: the caller is known, but not allowed. */
      401: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'WWW-Authenticate': components['headers']['WwwAuthenticate'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4005` unauthorized. On 401 refresh the session once and repeat; if that fails, onboard the guest again or sign in again. On 403 do not repeat: the caller is known, but not allowed. */
      403: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4004` rate limit exceeded. Wait for `Retry-After` seconds (also `details.retry_after`), then repeat the same request. */
      429: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'Retry-After': components['headers']['RetryAfter'];
          RateLimit: components['headers']['RateLimit'];
          'RateLimit-Policy': components['headers']['RateLimitPolicy'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_6003` internal error. Repeat once after a few seconds, with the same `Idempotency-Key`; if that fails, report the `X-Request-Id` of the answer. */
      500: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_6001` database unavailable. Repeat after a few seconds, with the same `Idempotency-Key` where there is one: it is never charged twice. */
      503: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'Retry-After': components['headers']['RetryAfter'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
    };
  };
  adminNotifications: {
    parameters: {
      query?: {
        /** @description Only those with this `notification_id`. */
        notification_id?: string;
        /** @description Only those with this `transaction_id`. */
        transaction_id?: string;
        /** @description Only those with this `user_id`. */
        user_id?: string;
        /** @description Only those with this `type`. */
        type?: string;
        /** @description Only those with this `subtype`. */
        subtype?: string;
        /** @description Only those with this `store`. */
        store?: 'apple' | 'stripe';
        /** @description Only those with this `environment`. */
        environment?: string;
        /** @description Only those with this `outcome`. */
        outcome?: string;
        /** @description The first day (`2026-11-01`, in UTC) or instant. */
        from?: string;
        /** @description The last day (`2026-11-30`, in UTC) or instant; it is included. */
        to?: string;
        /** @description The maximum number of items to return. */
        limit?: number;
        /** @description The `next_cursor` of the previous page, with the same filters. */
        cursor?: string;
      };
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description A page */
      200: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          RateLimit: components['headers']['RateLimit'];
          'RateLimit-Policy': components['headers']['RateLimitPolicy'];
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "notifications": [
           *         {
           *           "notification_id": "b0a9a6f4-0a39-4f2c-8f6d-0b1a2c3d4e5f",
           *           "store": "apple",
           *           "type": "REFUND",
           *           "subtype": null,
           *           "environment": "Production",
           *           "transaction_id": "2000000123456789",
           *           "user_id": "7c9e6679-7425-40de-944b-e07fc1f90ae7",
           *           "outcome": "taken_back",
           *           "signed_at": "2026-11-23T09:31:00.000Z",
           *           "received_at": "2026-11-23T09:31:00.000Z",
           *           "processed_at": "2026-11-23T09:32:10.000Z"
           *         }
           *       ],
           *       "next_cursor": null
           *     }
           */
          'application/json': {
            notifications: components['schemas']['AdminNotification'][];
            /** @description Send it as `cursor` to get the next page; null on the last page. A page may have fewer rows than asked for, or none, and still be followed by others: filters without an index are compared with a bounded number of rows at a time. */
            next_cursor: string | null;
          };
        };
      };
      /** @description `ERR_4006` invalid request. Do not repeat. `details.field` names what to correct, `details.allowed` what would be accepted. */
      400: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4005` unauthorized. On 401 refresh the session once and repeat; if that fails, onboard the guest again or sign in again. On 403 do not repeat: the caller is known, but not allowed. */
      401: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'WWW-Authenticate': components['headers']['WwwAuthenticate'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4005` unauthorized. On 401 refresh the session once and repeat; if that fails, onboard the guest again or sign in again. On 403 do not repeat: the caller is known, but not allowed. */
      403: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4004` rate limit exceeded. Wait for `Retry-After` seconds (also `details.retry_after`), then repeat the same request. */
      429: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'Retry-After': components['headers']['RetryAfter'];
          RateLimit: components['headers']['RateLimit'];
          'RateLimit-Policy': components['headers']['RateLimitPolicy'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_6003` internal error. Repeat once after a few seconds, with the same `Idempotency-Key`; if that fails, report the `X-Request-Id` of the answer. */
      500: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_6001` database unavailable. Repeat after a few seconds, with the same `Idempotency-Key` where there is one: it is never charged twice. */
      503: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'Retry-After': components['headers']['RetryAfter'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
    };
  };
  adminErrors: {
    parameters: {
      query?: {
        /** @description Only those with this `user_id`. */
        user_id?: string;
        /** @description Only those with this `error_code`. */
        error_code?: string;
        /** @description Only those with this `endpoint`. */
        endpoint?: string;
        /** @description Only those with this `request_id`. */
        request_id?: string;
        /** @description The first day (`2026-11-01`, in UTC) or instant. */
        from?: string;
        /** @description The last day (`2026-11-30`, in UTC) or instant; it is included. */
        to?: string;
        /** @description The maximum number of items to return. */
        limit?: number;
        /** @description The `next_cursor` of the previous page, with the same filters. */
        cursor?: string;
      };
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description A page */
      200: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          RateLimit: components['headers']['RateLimit'];
          'RateLimit-Policy': components['headers']['RateLimitPolicy'];
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "errors": [
           *         {
           *           "id": 1,
           *           "user_id": "7c9e6679-7425-40de-944b-e07fc1f90ae7",
           *           "error_code": "ERR_5002",
           *           "endpoint": "generation",
           *           "request_id": "0f8fad5b-d9cb-469f-a165-70867728950e",
           *           "job_id": "9b2f8f3c-5f0e-4b8e-9d0e-2a6c1f7d4e55",
           *           "details": {
           *             "cause": "the provider answered 503 four times"
           *           },
           *           "created_at": "2026-11-23T09:31:00.000Z"
           *         }
           *       ],
           *       "next_cursor": null
           *     }
           */
          'application/json': {
            errors: components['schemas']['AdminError'][];
            /** @description Send it as `cursor` to get the next page; null on the last page. A page may have fewer rows than asked for, or none, and still be followed by others: filters without an index are compared with a bounded number of rows at a time. */
            next_cursor: string | null;
          };
        };
      };
      /** @description `ERR_4006` invalid request. Do not repeat. `details.field` names what to correct, `details.allowed` what would be accepted. */
      400: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4005` unauthorized. On 401 refresh the session once and repeat; if that fails, onboard the guest again or sign in again. On 403 do not repeat: the caller is known, but not allowed. */
      401: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'WWW-Authenticate': components['headers']['WwwAuthenticate'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4005` unauthorized. On 401 refresh the session once and repeat; if that fails, onboard the guest again or sign in again. On 403 do not repeat: the caller is known, but not allowed. */
      403: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4004` rate limit exceeded. Wait for `Retry-After` seconds (also `details.retry_after`), then repeat the same request. */
      429: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'Retry-After': components['headers']['RetryAfter'];
          RateLimit: components['headers']['RateLimit'];
          'RateLimit-Policy': components['headers']['RateLimitPolicy'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_6003` internal error. Repeat once after a few seconds, with the same `Idempotency-Key`; if that fails, report the `X-Request-Id` of the answer. */
      500: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_6001` database unavailable. Repeat after a few seconds, with the same `Idempotency-Key` where there is one: it is never charged twice. */
      503: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'Retry-After': components['headers']['RetryAfter'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
    };
  };
  adminActions: {
    parameters: {
      query?: {
        /** @description Only those with this `admin_user_id`. */
        admin_user_id?: string;
        /** @description Only those with this `action_type`. */
        action_type?: string;
        /** @description Only those with this `target_user_id`. */
        target_user_id?: string;
        /** @description Only those with this `target_model_id`. */
        target_model_id?: string;
        /** @description Only those with this `target_job_id`. */
        target_job_id?: string;
        /** @description Only those with this `target`. */
        target?: string;
        /** @description The first day (`2026-11-01`, in UTC) or instant. */
        from?: string;
        /** @description The last day (`2026-11-30`, in UTC) or instant; it is included. */
        to?: string;
        /** @description The maximum number of items to return. */
        limit?: number;
        /** @description The `next_cursor` of the previous page, with the same filters. */
        cursor?: string;
      };
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description A page */
      200: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          RateLimit: components['headers']['RateLimit'];
          'RateLimit-Policy': components['headers']['RateLimitPolicy'];
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "actions": [
           *         {
           *           "id": 1,
           *           "admin_user_id": "7c9e6679-7425-40de-944b-e07fc1f90ae7",
           *           "admin_email": "ada@example.com",
           *           "action_type": "credit_refund",
           *           "target_user_id": "7c9e6679-7425-40de-944b-e07fc1f90ae7",
           *           "target_model_id": null,
           *           "target_job_id": null,
           *           "target": null,
           *           "amount": 4,
           *           "reason": "The video was unusable.",
           *           "details": {},
           *           "created_at": "2026-11-23T09:31:00.000Z"
           *         }
           *       ],
           *       "next_cursor": null
           *     }
           */
          'application/json': {
            actions: components['schemas']['AdminAction'][];
            /** @description Send it as `cursor` to get the next page; null on the last page. A page may have fewer rows than asked for, or none, and still be followed by others: filters without an index are compared with a bounded number of rows at a time. */
            next_cursor: string | null;
          };
        };
      };
      /** @description `ERR_4006` invalid request. Do not repeat. `details.field` names what to correct, `details.allowed` what would be accepted. */
      400: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4005` unauthorized. On 401 refresh the session once and repeat; if that fails, onboard the guest again or sign in again. On 403 do not repeat: the caller is known, but not allowed. */
      401: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'WWW-Authenticate': components['headers']['WwwAuthenticate'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4005` unauthorized. On 401 refresh the session once and repeat; if that fails, onboard the guest again or sign in again. On 403 do not repeat: the caller is known, but not allowed. */
      403: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4004` rate limit exceeded. Wait for `Retry-After` seconds (also `details.retry_after`), then repeat the same request. */
      429: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'Retry-After': components['headers']['RetryAfter'];
          RateLimit: components['headers']['RateLimit'];
          'RateLimit-Policy': components['headers']['RateLimitPolicy'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_6003` internal error. Repeat once after a few seconds, with the same `Idempotency-Key`; if that fails, report the `X-Request-Id` of the answer. */
      500: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_6001` database unavailable. Repeat after a few seconds, with the same `Idempotency-Key` where there is one: it is never charged twice. */
      503: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'Retry-After': components['headers']['RetryAfter'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
    };
  };
  adminModels: {
    parameters: {
      query?: {
        /** @description Only those with this `provider`. */
        provider?: string;
        /** @description Only those with this `category`. */
        category?: string;
        /** @description Only those with this `is_available`. */
        is_available?: 'true' | 'false';
        /** @description Only those with this `is_featured`. */
        is_featured?: 'true' | 'false';
        /** @description Only those with this `requires_image`. */
        requires_image?: 'true' | 'false';
        /** @description The first day (`2026-11-01`, in UTC) or instant. */
        from?: string;
        /** @description The last day (`2026-11-30`, in UTC) or instant; it is included. */
        to?: string;
        /** @description The maximum number of items to return. */
        limit?: number;
        /** @description The `next_cursor` of the previous page, with the same filters. */
        cursor?: string;
      };
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description A page */
      200: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          RateLimit: components['headers']['RateLimit'];
          'RateLimit-Policy': components['headers']['RateLimitPolicy'];
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "models": [
           *         {
           *           "id": "3f2504e0-4f89-41d3-9a0c-0305e82c3301",
           *           "name": "Cinematic",
           *           "category": "cinematic",
           *           "description": "Cinematic scenes with realistic light and motion.",
           *           "cost_per_generation": 4,
           *           "pricing": {
           *             "credits": 1,
           *             "per_seconds": 1
           *           },
           *           "provider": "fal",
           *           "provider_model_id": "fal-ai/veo3.1",
           *           "is_featured": true,
           *           "is_available": true,
           *           "requires_image": false,
           *           "prompt_max": 2000,
           *           "thumbnail_url": null,
           *           "settings_schema": {
           *             "type": "object",
           *             "properties": {}
           *           },
           *           "created_at": "2026-11-23T09:31:00.000Z",
           *           "updated_at": "2026-11-23T09:31:00.000Z"
           *         }
           *       ],
           *       "next_cursor": null
           *     }
           */
          'application/json': {
            models: {
              /** Format: uuid */
              id: string;
              name: string;
              category: string;
              description: string;
              /** @description The price with the default settings, in credits. */
              cost_per_generation: number;
              pricing: {
                credits: number;
                per_seconds: number | null;
              };
              provider: string;
              provider_model_id: string;
              is_featured: boolean;
              is_available: boolean;
              requires_image: boolean;
              prompt_max: number;
              thumbnail_url: string | null;
              settings_schema?: unknown;
              /**
               * Format: date-time
               * @example 2026-11-23T09:30:00.000Z
               */
              created_at: string;
              /**
               * Format: date-time
               * @example 2026-11-23T09:30:00.000Z
               */
              updated_at: string;
            }[];
            /** @description Send it as `cursor` to get the next page; null on the last page. A page may have fewer rows than asked for, or none, and still be followed by others: filters without an index are compared with a bounded number of rows at a time. */
            next_cursor: string | null;
          };
        };
      };
      /** @description `ERR_4006` invalid request. Do not repeat. `details.field` names what to correct, `details.allowed` what would be accepted. */
      400: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4005` unauthorized. On 401 refresh the session once and repeat; if that fails, onboard the guest again or sign in again. On 403 do not repeat: the caller is known, but not allowed. */
      401: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'WWW-Authenticate': components['headers']['WwwAuthenticate'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4005` unauthorized. On 401 refresh the session once and repeat; if that fails, onboard the guest again or sign in again. On 403 do not repeat: the caller is known, but not allowed. */
      403: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4004` rate limit exceeded. Wait for `Retry-After` seconds (also `details.retry_after`), then repeat the same request. */
      429: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'Retry-After': components['headers']['RetryAfter'];
          RateLimit: components['headers']['RateLimit'];
          'RateLimit-Policy': components['headers']['RateLimitPolicy'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_6003` internal error. Repeat once after a few seconds, with the same `Idempotency-Key`; if that fails, report the `X-Request-Id` of the answer. */
      500: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_6001` database unavailable. Repeat after a few seconds, with the same `Idempotency-Key` where there is one: it is never charged twice. */
      503: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'Retry-After': components['headers']['RetryAfter'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
    };
  };
  adminProducts: {
    parameters: {
      query?: {
        /** @description Only those with this `product_id`. */
        product_id?: string;
        /** @description Only those with this `is_active`. */
        is_active?: 'true' | 'false';
        /** @description The first day (`2026-11-01`, in UTC) or instant. */
        from?: string;
        /** @description The last day (`2026-11-30`, in UTC) or instant; it is included. */
        to?: string;
        /** @description The maximum number of items to return. */
        limit?: number;
        /** @description The `next_cursor` of the previous page, with the same filters. */
        cursor?: string;
      };
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description A page */
      200: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          RateLimit: components['headers']['RateLimit'];
          'RateLimit-Policy': components['headers']['RateLimitPolicy'];
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "products": [
           *         {
           *           "product_id": "com.rendio.credits.10",
           *           "display_name": "10 credits",
           *           "credits": 10,
           *           "bonus_credits": 0,
           *           "web_price_cents": null,
           *           "web_currency": "usd",
           *           "is_active": true,
           *           "created_at": "2026-11-23T09:31:00.000Z",
           *           "updated_at": "2026-11-23T09:31:00.000Z"
           *         }
           *       ],
           *       "next_cursor": null
           *     }
           */
          'application/json': {
            products: {
              product_id: string;
              display_name: string;
              /** @description What one purchase adds, in credits. */
              credits: number;
              /** @description What it adds besides, in credits. */
              bonus_credits: number;
              /** @description Null: not sold in the web shop. */
              web_price_cents: number | null;
              web_currency: string;
              is_active: boolean;
              /**
               * Format: date-time
               * @example 2026-11-23T09:30:00.000Z
               */
              created_at: string;
              /**
               * Format: date-time
               * @example 2026-11-23T09:30:00.000Z
               */
              updated_at: string;
            }[];
            /** @description Send it as `cursor` to get the next page; null on the last page. A page may have fewer rows than asked for, or none, and still be followed by others: filters without an index are compared with a bounded number of rows at a time. */
            next_cursor: string | null;
          };
        };
      };
      /** @description `ERR_4006` invalid request. Do not repeat. `details.field` names what to correct, `details.allowed` what would be accepted. */
      400: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4005` unauthorized. On 401 refresh the session once and repeat; if that fails, onboard the guest again or sign in again. On 403 do not repeat: the caller is known, but not allowed. */
      401: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'WWW-Authenticate': components['headers']['WwwAuthenticate'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4005` unauthorized. On 401 refresh the session once and repeat; if that fails, onboard the guest again or sign in again. On 403 do not repeat: the caller is known, but not allowed. */
      403: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4004` rate limit exceeded. Wait for `Retry-After` seconds (also `details.retry_after`), then repeat the same request. */
      429: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'Retry-After': components['headers']['RetryAfter'];
          RateLimit: components['headers']['RateLimit'];
          'RateLimit-Policy': components['headers']['RateLimitPolicy'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_6003` internal error. Repeat once after a few seconds, with the same `Idempotency-Key`; if that fails, report the `X-Request-Id` of the answer. */
      500: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_6001` database unavailable. Repeat after a few seconds, with the same `Idempotency-Key` where there is one: it is never charged twice. */
      503: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'Retry-After': components['headers']['RetryAfter'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
    };
  };
  adminCodes: {
    parameters: {
      query?: {
        /** @description The whole code; case, dashes and spaces do not matter. */
        code?: string;
        /** @description Only those with this `credits`. */
        credits?: number;
        /** @description The first day (`2026-11-01`, in UTC) or instant. */
        from?: string;
        /** @description The last day (`2026-11-30`, in UTC) or instant; it is included. */
        to?: string;
        /** @description The maximum number of items to return. */
        limit?: number;
        /** @description The `next_cursor` of the previous page, with the same filters. */
        cursor?: string;
      };
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description A page */
      200: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          RateLimit: components['headers']['RateLimit'];
          'RateLimit-Policy': components['headers']['RateLimitPolicy'];
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "codes": [
           *         {
           *           "id": "c56a4180-65aa-42ec-a945-5fd21dec0538",
           *           "code": "SUMMER2026",
           *           "credits": 5,
           *           "uses": 120,
           *           "uses_max": 1000,
           *           "expires_at": null,
           *           "created_at": "2026-11-23T09:31:00.000Z"
           *         }
           *       ],
           *       "next_cursor": null
           *     }
           */
          'application/json': {
            codes: {
              /** Format: uuid */
              id: string;
              code: string;
              /** @description What the code gives, in credits. */
              credits: number;
              uses: number;
              uses_max: number;
              /**
               * Format: date-time
               * @example 2026-11-23T09:30:00.000Z
               */
              expires_at: string | null;
              /**
               * Format: date-time
               * @example 2026-11-23T09:30:00.000Z
               */
              created_at: string;
            }[];
            /** @description Send it as `cursor` to get the next page; null on the last page. A page may have fewer rows than asked for, or none, and still be followed by others: filters without an index are compared with a bounded number of rows at a time. */
            next_cursor: string | null;
          };
        };
      };
      /** @description `ERR_4006` invalid request. Do not repeat. `details.field` names what to correct, `details.allowed` what would be accepted. */
      400: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4005` unauthorized. On 401 refresh the session once and repeat; if that fails, onboard the guest again or sign in again. On 403 do not repeat: the caller is known, but not allowed. */
      401: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'WWW-Authenticate': components['headers']['WwwAuthenticate'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4005` unauthorized. On 401 refresh the session once and repeat; if that fails, onboard the guest again or sign in again. On 403 do not repeat: the caller is known, but not allowed. */
      403: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4004` rate limit exceeded. Wait for `Retry-After` seconds (also `details.retry_after`), then repeat the same request. */
      429: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'Retry-After': components['headers']['RetryAfter'];
          RateLimit: components['headers']['RateLimit'];
          'RateLimit-Policy': components['headers']['RateLimitPolicy'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_6003` internal error. Repeat once after a few seconds, with the same `Idempotency-Key`; if that fails, report the `X-Request-Id` of the answer. */
      500: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_6001` database unavailable. Repeat after a few seconds, with the same `Idempotency-Key` where there is one: it is never charged twice. */
      503: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'Retry-After': components['headers']['RetryAfter'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
    };
  };
  adminUserStats: {
    parameters: {
      query: {
        /** @description The account, or a guest that was merged into it. */
        user_id: string;
      };
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description The account */
      200: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          RateLimit: components['headers']['RateLimit'];
          'RateLimit-Policy': components['headers']['RateLimitPolicy'];
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "user": {
           *         "id": "7c9e6679-7425-40de-944b-e07fc1f90ae7",
           *         "email": "grace@example.com",
           *         "is_guest": false,
           *         "is_banned": false,
           *         "ban_reason": null,
           *         "tier": "free",
           *         "credits_remaining": 6,
           *         "credits_total": 10,
           *         "initial_grant_claimed": true,
           *         "language": "en",
           *         "created_at": "2026-11-23T09:31:00.000Z",
           *         "deleted_at": null,
           *         "merged_guest_ids": []
           *       },
           *       "stats": {
           *         "total_jobs": 1,
           *         "completed_jobs": 1,
           *         "failed_jobs": 0,
           *         "success_rate": 1,
           *         "credits_spent": 4,
           *         "credits_refunded": 0,
           *         "purchases": 0
           *       },
           *       "recent_transactions": [
           *         {
           *           "id": "c56a4180-65aa-42ec-a945-5fd21dec0538",
           *           "user_id": "7c9e6679-7425-40de-944b-e07fc1f90ae7",
           *           "change": -4,
           *           "reason": "video_generation",
           *           "balance_after": 6,
           *           "job_id": "9b2f8f3c-5f0e-4b8e-9d0e-2a6c1f7d4e55",
           *           "transaction_id": null,
           *           "purchase_id": null,
           *           "created_at": "2026-11-23T09:31:00.000Z"
           *         }
           *       ]
           *     }
           */
          'application/json': components['schemas']['AdminUserStats'];
        };
      };
      /** @description `ERR_4006` invalid request. Do not repeat. `details.field` names what to correct, `details.allowed` what would be accepted. */
      400: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4005` unauthorized. On 401 refresh the session once and repeat; if that fails, onboard the guest again or sign in again. On 403 do not repeat: the caller is known, but not allowed. */
      401: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'WWW-Authenticate': components['headers']['WwwAuthenticate'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4005` unauthorized. On 401 refresh the session once and repeat; if that fails, onboard the guest again or sign in again. On 403 do not repeat: the caller is known, but not allowed. */
      403: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4007` not found, or not yours. Do not repeat. Remove the object from your list and read the list again. */
      404: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4004` rate limit exceeded. Wait for `Retry-After` seconds (also `details.retry_after`), then repeat the same request. */
      429: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'Retry-After': components['headers']['RetryAfter'];
          RateLimit: components['headers']['RateLimit'];
          'RateLimit-Policy': components['headers']['RateLimitPolicy'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_6003` internal error. Repeat once after a few seconds, with the same `Idempotency-Key`; if that fails, report the `X-Request-Id` of the answer. */
      500: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_6001` database unavailable. Repeat after a few seconds, with the same `Idempotency-Key` where there is one: it is never charged twice. */
      503: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'Retry-After': components['headers']['RetryAfter'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
    };
  };
  adminUserTimeline: {
    parameters: {
      query: {
        /** @description The account, or a guest that was merged into it. */
        user_id: string;
        /** @description The maximum number of items to return. */
        limit?: number;
        /** @description The `next_cursor` of the previous page, with the same filters. */
        cursor?: string;
      };
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description A page */
      200: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          RateLimit: components['headers']['RateLimit'];
          'RateLimit-Policy': components['headers']['RateLimitPolicy'];
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "events": [
           *         {
           *           "at": "2026-11-23T09:31:00.000Z",
           *           "kind": "credits",
           *           "summary": "The balance changed by -4 to 6 (video_generation).",
           *           "data": {
           *             "change": -4,
           *             "reason": "video_generation",
           *             "balance_after": 6,
           *             "job_id": "9b2f8f3c-5f0e-4b8e-9d0e-2a6c1f7d4e55"
           *           }
           *         }
           *       ],
           *       "next_cursor": null
           *     }
           */
          'application/json': components['schemas']['AdminTimeline'];
        };
      };
      /** @description `ERR_4006` invalid request. Do not repeat. `details.field` names what to correct, `details.allowed` what would be accepted. */
      400: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4005` unauthorized. On 401 refresh the session once and repeat; if that fails, onboard the guest again or sign in again. On 403 do not repeat: the caller is known, but not allowed. */
      401: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'WWW-Authenticate': components['headers']['WwwAuthenticate'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4005` unauthorized. On 401 refresh the session once and repeat; if that fails, onboard the guest again or sign in again. On 403 do not repeat: the caller is known, but not allowed. */
      403: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4007` not found, or not yours. Do not repeat. Remove the object from your list and read the list again. */
      404: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4004` rate limit exceeded. Wait for `Retry-After` seconds (also `details.retry_after`), then repeat the same request. */
      429: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'Retry-After': components['headers']['RetryAfter'];
          RateLimit: components['headers']['RateLimit'];
          'RateLimit-Policy': components['headers']['RateLimitPolicy'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_6003` internal error. Repeat once after a few seconds, with the same `Idempotency-Key`; if that fails, report the `X-Request-Id` of the answer. */
      500: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_6001` database unavailable. Repeat after a few seconds, with the same `Idempotency-Key` where there is one: it is never charged twice. */
      503: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'Retry-After': components['headers']['RetryAfter'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
    };
  };
  adminJob: {
    parameters: {
      query: {
        /** @description The job. */
        job_id: string;
      };
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description The job */
      200: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          RateLimit: components['headers']['RateLimit'];
          'RateLimit-Policy': components['headers']['RateLimitPolicy'];
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "job": {
           *         "job_id": "9b2f8f3c-5f0e-4b8e-9d0e-2a6c1f7d4e55",
           *         "user_id": "7c9e6679-7425-40de-944b-e07fc1f90ae7",
           *         "model_id": "3f2504e0-4f89-41d3-9a0c-0305e82c3301",
           *         "model_name": "Cinematic",
           *         "provider": "fal",
           *         "provider_job_id": "764cabcf-b745-4b3e-ae38-1200304cf45b",
           *         "status": "completed",
           *         "credits_used": 4,
           *         "error_code": null,
           *         "error_reason": null,
           *         "created_at": "2026-11-23T09:31:00.000Z",
           *         "submitted_at": "2026-11-23T09:31:00.000Z",
           *         "completed_at": "2026-11-23T09:32:10.000Z",
           *         "deleted_at": null,
           *         "settings": {
           *           "duration": 4
           *         },
           *         "deadline_at": "2026-11-23T10:01:00.000Z",
           *         "video_seconds": 4
           *       },
           *       "attempts": [
           *         {
           *           "id": "c56a4180-65aa-42ec-a945-5fd21dec0538",
           *           "attempt": 1,
           *           "provider": "fal",
           *           "provider_model_id": "fal-ai/veo3.1",
           *           "state": "accepted",
           *           "result": "completed",
           *           "error": null,
           *           "provider_job_id": "764cabcf-b745-4b3e-ae38-1200304cf45b",
           *           "vendor_request_id": null,
           *           "vendor_cost_usd": 0.8,
           *           "created_at": "2026-11-23T09:31:00.000Z",
           *           "closed_at": "2026-11-23T09:31:00.000Z",
           *           "ended_at": "2026-11-23T09:32:10.000Z"
           *         }
           *       ],
           *       "events": [
           *         {
           *           "at": "2026-11-23T09:32:10.000Z",
           *           "source": "provider",
           *           "type": "woke",
           *           "sender": "fal"
           *         }
           *       ],
           *       "files": [
           *         {
           *           "kind": "video",
           *           "path": "videos/7c9e6679-7425-40de-944b-e07fc1f90ae7/2026-11/9b2f8f3c-5f0e-4b8e-9d0e-2a6c1f7d4e55.mp4",
           *           "bytes": 2400000,
           *           "sha256": null
           *         }
           *       ]
           *     }
           */
          'application/json': components['schemas']['AdminJobDetails'];
        };
      };
      /** @description `ERR_4006` invalid request. Do not repeat. `details.field` names what to correct, `details.allowed` what would be accepted. */
      400: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4005` unauthorized. On 401 refresh the session once and repeat; if that fails, onboard the guest again or sign in again. On 403 do not repeat: the caller is known, but not allowed. */
      401: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'WWW-Authenticate': components['headers']['WwwAuthenticate'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4005` unauthorized. On 401 refresh the session once and repeat; if that fails, onboard the guest again or sign in again. On 403 do not repeat: the caller is known, but not allowed. */
      403: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4007` not found, or not yours. Do not repeat. Remove the object from your list and read the list again. */
      404: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4004` rate limit exceeded. Wait for `Retry-After` seconds (also `details.retry_after`), then repeat the same request. */
      429: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'Retry-After': components['headers']['RetryAfter'];
          RateLimit: components['headers']['RateLimit'];
          'RateLimit-Policy': components['headers']['RateLimitPolicy'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_6003` internal error. Repeat once after a few seconds, with the same `Idempotency-Key`; if that fails, report the `X-Request-Id` of the answer. */
      500: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_6001` database unavailable. Repeat after a few seconds, with the same `Idempotency-Key` where there is one: it is never charged twice. */
      503: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'Retry-After': components['headers']['RetryAfter'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
    };
  };
  adminHealth: {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description The state */
      200: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          RateLimit: components['headers']['RateLimit'];
          'RateLimit-Policy': components['headers']['RateLimitPolicy'];
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "database": true,
           *       "queue": {
           *         "depth": 2,
           *         "oldest_seconds": 0.4
           *       },
           *       "providers": [
           *         {
           *           "name": "fal",
           *           "circuit": "closed",
           *           "opened_at": null,
           *           "next_try_at": null,
           *           "is_simulated": false
           *         }
           *       ],
           *       "invariants": [
           *         {
           *           "rule": "a balance equals the sum of its ledger rows",
           *           "holds": true,
           *           "violations": 0,
           *           "checked_at": "2026-11-23T09:31:00.000Z"
           *         }
           *       ]
           *     }
           */
          'application/json': components['schemas']['AdminHealth'];
        };
      };
      /** @description `ERR_4006` invalid request. Do not repeat. `details.field` names what to correct, `details.allowed` what would be accepted. */
      400: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4005` unauthorized. On 401 refresh the session once and repeat; if that fails, onboard the guest again or sign in again. On 403 do not repeat: the caller is known, but not allowed. */
      401: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'WWW-Authenticate': components['headers']['WwwAuthenticate'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4005` unauthorized. On 401 refresh the session once and repeat; if that fails, onboard the guest again or sign in again. On 403 do not repeat: the caller is known, but not allowed. */
      403: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4004` rate limit exceeded. Wait for `Retry-After` seconds (also `details.retry_after`), then repeat the same request. */
      429: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'Retry-After': components['headers']['RetryAfter'];
          RateLimit: components['headers']['RateLimit'];
          'RateLimit-Policy': components['headers']['RateLimitPolicy'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_6003` internal error. Repeat once after a few seconds, with the same `Idempotency-Key`; if that fails, report the `X-Request-Id` of the answer. */
      500: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_6001` database unavailable. Repeat after a few seconds, with the same `Idempotency-Key` where there is one: it is never charged twice. */
      503: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'Retry-After': components['headers']['RetryAfter'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
    };
  };
  adminOverview: {
    parameters: {
      query?: {
        /** @description The first day (`2026-11-01`, in UTC) or instant. */
        from?: string;
        /** @description The last day (`2026-11-30`, in UTC) or instant; it is included. */
        to?: string;
      };
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description The figures */
      200: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          RateLimit: components['headers']['RateLimit'];
          'RateLimit-Policy': components['headers']['RateLimitPolicy'];
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "days": [
           *         {
           *           "date": "2026-11-23",
           *           "generations": {
           *             "completed": 19,
           *             "failed": 1
           *           },
           *           "success_rate": 0.95,
           *           "seconds_to_video": {
           *             "p50": 41.2,
           *             "p95": 96
           *           },
           *           "credits_in": {
           *             "initial_grant": 50,
           *             "iap_purchase": 100,
           *             "generation_failed_refund": 4
           *           },
           *           "credits_out": {
           *             "video_generation": 80
           *           },
           *           "revenue_usd": 49.9,
           *           "revenue_other": {},
           *           "provider_cost_usd": 15.2,
           *           "errors": {
           *             "ERR_5002": 1
           *           }
           *         }
           *       ],
           *       "models": [
           *         {
           *           "model_id": "3f2504e0-4f89-41d3-9a0c-0305e82c3301",
           *           "name": "Cinematic",
           *           "generations": 20,
           *           "credits": 76,
           *           "provider_cost_usd": 15.2,
           *           "margin_usd": 22.72
           *         }
           *       ],
           *       "credits_outstanding": 5120
           *     }
           */
          'application/json': components['schemas']['AdminOverview'];
        };
      };
      /** @description `ERR_4006` invalid request. Do not repeat. `details.field` names what to correct, `details.allowed` what would be accepted. */
      400: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4005` unauthorized. On 401 refresh the session once and repeat; if that fails, onboard the guest again or sign in again. On 403 do not repeat: the caller is known, but not allowed. */
      401: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'WWW-Authenticate': components['headers']['WwwAuthenticate'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4005` unauthorized. On 401 refresh the session once and repeat; if that fails, onboard the guest again or sign in again. On 403 do not repeat: the caller is known, but not allowed. */
      403: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4004` rate limit exceeded. Wait for `Retry-After` seconds (also `details.retry_after`), then repeat the same request. */
      429: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'Retry-After': components['headers']['RetryAfter'];
          RateLimit: components['headers']['RateLimit'];
          'RateLimit-Policy': components['headers']['RateLimitPolicy'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_6003` internal error. Repeat once after a few seconds, with the same `Idempotency-Key`; if that fails, report the `X-Request-Id` of the answer. */
      500: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_6001` database unavailable. Repeat after a few seconds, with the same `Idempotency-Key` where there is one: it is never charged twice. */
      503: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'Retry-After': components['headers']['RetryAfter'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
    };
  };
  adminReports: {
    parameters: {
      query?: {
        /** @description The maximum number of reports. */
        limit?: number;
        /** @description The `next_cursor` of the previous page, with the same filters. */
        cursor?: string;
        /** @description Reports about this job alone. */
        job_id?: string;
        /** @description Reports about this user’s videos alone. */
        user_id?: string;
        /** @description Reports by this user alone. */
        reporter_user_id?: string;
        /** @description Only those that are handled, or only those that are not. */
        is_handled?: boolean;
      };
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description A page of reports */
      200: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          RateLimit: components['headers']['RateLimit'];
          'RateLimit-Policy': components['headers']['RateLimitPolicy'];
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "reports": [
           *         {
           *           "id": "a0b1c2d3-e4f5-4a6b-8c7d-9e0f1a2b3c4d",
           *           "job_id": "9b2f8f3c-5f0e-4b8e-9d0e-2a6c1f7d4e55",
           *           "user_id": "7c9e6679-7425-40de-944b-e07fc1f90ae7",
           *           "reporter_user_id": "0c6f6b0e-7a51-4d2e-9a55-6f4dcb3a1f10",
           *           "source": "share",
           *           "reason": "It shows a person who has not agreed to it.",
           *           "created_at": "2026-11-23T09:30:00.000Z",
           *           "handled_at": null
           *         }
           *       ],
           *       "next_cursor": null
           *     }
           */
          'application/json': components['schemas']['Reports'];
        };
      };
      /** @description `ERR_4006` invalid request. Do not repeat. `details.field` names what to correct, `details.allowed` what would be accepted. */
      400: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4005` unauthorized. On 401 refresh the session once and repeat; if that fails, onboard the guest again or sign in again. On 403 do not repeat: the caller is known, but not allowed. */
      401: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'WWW-Authenticate': components['headers']['WwwAuthenticate'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4005` unauthorized. On 401 refresh the session once and repeat; if that fails, onboard the guest again or sign in again. On 403 do not repeat: the caller is known, but not allowed. */
      403: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4004` rate limit exceeded. Wait for `Retry-After` seconds (also `details.retry_after`), then repeat the same request. */
      429: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'Retry-After': components['headers']['RetryAfter'];
          RateLimit: components['headers']['RateLimit'];
          'RateLimit-Policy': components['headers']['RateLimitPolicy'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_6003` internal error. Repeat once after a few seconds, with the same `Idempotency-Key`; if that fails, report the `X-Request-Id` of the answer. */
      500: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_6001` database unavailable. Repeat after a few seconds, with the same `Idempotency-Key` where there is one: it is never charged twice. */
      503: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'Retry-After': components['headers']['RetryAfter'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
    };
  };
  adminHandleReport: {
    parameters: {
      query?: never;
      header?: {
        /** @description A UUID that the client creates, with or without double quotes. With it, a repeat returns the first response. */
        'Idempotency-Key'?: string;
      };
      path?: never;
      cookie?: never;
    };
    requestBody: {
      content: {
        'application/json': {
          /**
           * Format: uuid
           * @example 3f2504e0-4f89-41d3-9a0c-0305e82c3301
           */
          report_id: string;
          /** @description Why; kept with the change. */
          reason: string;
        };
      };
    };
    responses: {
      /** @description The report is handled */
      200: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          RateLimit: components['headers']['RateLimit'];
          'RateLimit-Policy': components['headers']['RateLimitPolicy'];
          'X-Idempotent-Replay': components['headers']['IdempotentReplay'];
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "success": true
           *     }
           */
          'application/json': {
            /** @enum {boolean} */
            success: true;
          };
        };
      };
      /** @description `ERR_4006` invalid request. Do not repeat. `details.field` names what to correct, `details.allowed` what would be accepted. */
      400: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4005` unauthorized. On 401 refresh the session once and repeat; if that fails, onboard the guest again or sign in again. On 403 do not repeat: the caller is known, but not allowed. */
      401: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'WWW-Authenticate': components['headers']['WwwAuthenticate'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4005` unauthorized. On 401 refresh the session once and repeat; if that fails, onboard the guest again or sign in again. On 403 do not repeat: the caller is known, but not allowed. */
      403: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4007` not found, or not yours. Do not repeat. Remove the object from your list and read the list again. */
      404: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4014` too large. Send less; `details.bytes_max` is the limit in bytes. */
      413: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4015` unsupported type. Send one of the content types in `details.allowed`. */
      415: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4009` idempotency key used for another request. A bug in the client: use a new `Idempotency-Key` for each new request, and the same key only for retries. */
      422: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4004` rate limit exceeded. Wait for `Retry-After` seconds (also `details.retry_after`), then repeat the same request. */
      429: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'Retry-After': components['headers']['RetryAfter'];
          RateLimit: components['headers']['RateLimit'];
          'RateLimit-Policy': components['headers']['RateLimitPolicy'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_6003` internal error. Repeat once after a few seconds, with the same `Idempotency-Key`; if that fails, report the `X-Request-Id` of the answer. */
      500: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_6001` database unavailable. Repeat after a few seconds, with the same `Idempotency-Key` where there is one: it is never charged twice. */
      503: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'Retry-After': components['headers']['RetryAfter'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
    };
  };
  getHealth: {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description The process runs */
      200: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "status": "ok"
           *     }
           */
          'application/json': components['schemas']['Health'];
        };
      };
    };
  };
  getReadiness: {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description The server is ready */
      200: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "status": "ready",
           *       "checks": {
           *         "database": true,
           *         "migrations": true,
           *         "worker": true
           *       }
           *     }
           */
          'application/json': components['schemas']['Readiness'];
        };
      };
      /** @description The server is not ready: at least one check is `false`, or it is shutting down */
      503: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "status": "not ready",
           *       "checks": {
           *         "database": false,
           *         "migrations": true,
           *         "worker": true
           *       }
           *     }
           */
          'application/json': components['schemas']['Readiness'];
        };
      };
    };
  };
  getMetrics: {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description The metrics of this process, in Prometheus’ text format */
      200: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          [name: string]: unknown;
        };
        content: {
          /**
           * @example # HELP rendio_purchases_total Purchases that this process credited (completed) or refused (failed).
           *     # TYPE rendio_purchases_total counter
           *     rendio_purchases_total{store="apple",outcome="completed"} 12
           */
          'text/plain': string;
        };
      };
      /** @description `ERR_4005` unauthorized. On 401 refresh the session once and repeat; if that fails, onboard the guest again or sign in again. On 403 do not repeat: the caller is known, but not allowed. */
      401: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'WWW-Authenticate': components['headers']['WwwAuthenticate'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4005` unauthorized. On 401 refresh the session once and repeat; if that fails, onboard the guest again or sign in again. On 403 do not repeat: the caller is known, but not allowed. */
      403: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_6003` internal error. Repeat once after a few seconds, with the same `Idempotency-Key`; if that fails, report the `X-Request-Id` of the answer. */
      500: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_4017` switched off by configuration. Hide the feature. The operator of the server can configure it. */
      501: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description `ERR_6001` database unavailable. Repeat after a few seconds, with the same `Idempotency-Key` where there is one: it is never charged twice. */
      503: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Language': components['headers']['ContentLanguage'];
          'Retry-After': components['headers']['RetryAfter'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
    };
  };
}
