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
     * @description The first call of an app. Answers with the account of this device, created where there was none, and with a session for it. The initial credits are granted once in the life of the physical device, as Apple’s DeviceCheck proves it. While Apple cannot be reached, a known device gets 503; its refresh token goes on working.
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
     * The caller’s account
     * @description The account of the token, as its owner may see it. `device_id` and `apple_sub` are shown to the owner alone.
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
     * Change the caller’s language or theme, by POST
     * @description What is left out stays as it is. The language is that of error messages and of events.
     */
    post: operations['updateUserProfileByPost'];
    delete?: never;
    options?: never;
    head?: never;
    /**
     * Change the caller’s language or theme
     * @description What is left out stays as it is. The language is that of error messages and of events.
     */
    patch: operations['updateUserProfile'];
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
     * Trade a refresh token for a new pair of tokens
     * @description Before the access token expires, or after a 401. A refresh token can be traded once; where the answer was lost, the same token gets the same answer until its successor is used. Errors are in the dialect of the Supabase clients: with the header `X-Supabase-Api-Version` they read `{code, message}`, without it `{code, error_code, msg}`.
     */
    post: operations['refreshSession'];
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
     * The public keys that verify access tokens
     * @description For a service that verifies our tokens by itself: pick the key by the `kid` of the token’s header.
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
  '/functions/v1/get-user-credits': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /**
     * How many credits there are to spend
     * @description Never from a cache. `job-events` says when it changes.
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
     * Every change of the balance, newest first
     * @description Rows are only ever added. A page costs the same however far back it lies: follow `next_cursor`.
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
  '/functions/v1/get-models': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /**
     * What can be generated, at what price, with which settings
     * @description Draw the settings from `settings_schema` and the price from `pricing`: an app needs to know nothing about a model beforehand. Needs no token. Keep the answer, and send its `ETag` to ask whether it still holds.
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
     * Pay for one video and start it
     * @description Charges the price and answers at once; the video is made in the background. Create an `Idempotency-Key` (UUID) for each new request and keep it until an answer has come: sent again with the same body, it gets the first answer again, marked by `X-Idempotent-Replay`, and never pays twice. Only a charge uses up a key; it is kept for 24 hours. What fails later is the job’s `error_code`, with the credits refunded.
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
     * The status of a job
     * @description Reads our own records alone, so an app may call it as often as it likes. `completed` means that the file is stored here and plays; `failed` says why, and the credits are refunded. Another user’s job and none are the same 404.
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
     * The same as get-video-status
     * @description Reads our own records alone, so an app may call it as often as it likes. `completed` means that the file is stored here and plays; `failed` says why, and the credits are refunded. Another user’s job and none are the same 404.
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
     * The caller’s jobs, newest first
     * @description Follow `next_cursor`: a page costs the same however far back it lies, and nothing is shown twice when new jobs arrive. `offset` is for small lists, and is ignored beside a `cursor`.
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
     * Stop a job that has not ended, with a refund
     * @description The job becomes `failed` with `ERR_5004`. A job that has ended, or whose video is made and on its way, stays as it is: 409. With an `Idempotency-Key` a repeat gets the first answer again instead.
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
     * @description Its media URLs stop working at once. A job that is under way is 409: cancel it first. Deleting again is a success. Deleting gives no slots of the rate limit back.
     */
    post: operations['deleteVideoJob'];
    /**
     * Delete a finished job and its files, by DELETE
     * @description Its media URLs stop working at once. A job that is under way is 409: cancel it first. Deleting again is a success. Deleting gives no slots of the rate limit back.
     */
    delete: operations['deleteVideoJobByDelete'];
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
     * What lies in a folder
     * @description One level deep: folders have no `id`.
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
     * Size and type of a file
     * @description Without the file itself.
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
     * The same under its longer URL
     * @description As some storage clients request it.
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
     * A file of the caller’s own
     * @description Of any bucket, with ranges. Another user’s file and none are the same 404.
     */
    get: operations['downloadObject'];
    /**
     * Upload an image, replacing an existing one
     * @description A JPEG, PNG or WebP of at most 10 MB (10,485,760 bytes), whole, still, 64 to 10,000 pixels a side. The type is read from the bytes; the `Content-Type` that was sent is ignored. Readers see the old one or the new one, never half of either.
     */
    put: operations['replaceObject'];
    /**
     * Upload an image into the caller’s folder
     * @description A JPEG, PNG or WebP of at most 10 MB (10,485,760 bytes), whole, still, 64 to 10,000 pixels a side. The type is read from the bytes; the `Content-Type` that was sent is ignored. `image_url` of `generate-video` then takes its path. An existing object stays (409) unless `x-upsert` is `true`. The Supabase storage clients work with these routes unchanged, and get errors in their own shape.
     */
    post: operations['uploadObject'];
    /**
     * Delete an image
     * @description In `user_uploads` alone: videos are deleted with `delete-video-job`.
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
     * Delete images
     * @description Answers with those that were there. A job that has not sent its image to its provider yet then fails and is refunded.
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
     * A file by its signed URL
     * @description Do not build these URLs: `video_url` and `thumbnail_url` are such URLs, signed again on every read, and `signObject` makes them for uploads. They need no other token, support ranges, and stop working when they expire or when the job or the upload is deleted.
     */
    get: operations['getMedia'];
    put?: never;
    /**
     * Make a signed URL
     * @description For a file of the caller’s own, and for a week at most.
     */
    post: operations['signObject'];
    delete?: never;
    options?: never;
    /**
     * Its size, and when it was made
     * @description The headers of the GET, without the file.
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
     * Make many at once
     * @description Each path gets its URL, or the reason why not.
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
     * Upload an image to such a URL
     * @description Without a token of the caller’s own. The rules for images are those of `uploadObject`.
     */
    put: operations['uploadToSignedAddress'];
    /**
     * Make a URL that accepts one upload
     * @description For two hours, and for this path alone.
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
     * For providers: something has happened to a job
     * @description Callbacks of fal's (`?provider=fal&job=<job_id>`) are verified by its Ed25519 scheme. Any other sender signs with
     *     `WEBHOOK_SECRET`: `X-Webhook-Signature` is the lower-case hex HMAC-SHA256 of the raw body or, where `X-Webhook-Timestamp` (unix
     *     seconds, within five minutes) is sent, of `<timestamp>.<raw body>`.
     *
     *     An event is a hint. It is recorded once and makes the worker poll the provider at once; what it says about the job is not used.
     *     An event about no job of this server gets the same answer.
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
     * Events of the caller’s jobs and balance, as they happen
     * @description Server-sent events, each a `JobEvent`: `queued`, `processing`, `completed`, `failed`, and `credits` when the balance changes. With `Last-Event-ID` the stream resumes after that event, without a gap or a repeat, for a day; without, it begins with the jobs that are under way. A comment every 15 seconds keeps the connection open. It ends with the access token. Browsers’ own EventSource cannot send a token: read the stream with `fetch`.
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
  '/healthz': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /**
     * Whether the process is up
     * @description Asks nothing of the database: for a supervisor that restarts processes which do not answer.
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
     * Whether the server can do its work
     * @description For a load balancer. `worker` is null where another process does the background work.
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
}
export type webhooks = Record<string, never>;
export interface components {
  schemas: {
    /** @description One message of `job-events`: its lines by name, `data` parsed as JSON. */
    JobEvent:
      | {
          /** @description Send the last one as `Last-Event-ID` to resume after it. `beginning` on the events that list the jobs under way when the stream began: a line with an id alone follows them. */
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
          /** @description Send the last one as `Last-Event-ID` to resume after it. `beginning` on the events that list the jobs under way when the stream began: a line with an id alone follows them. */
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
            /** @description In percent, where the provider says. */
            progress: number | null;
            /** @description How many jobs are before it at the provider, where the provider says. */
            queue_position: number | null;
          };
        }
      | {
          /** @description Send the last one as `Last-Event-ID` to resume after it. `beginning` on the events that list the jobs under way when the stream began: a line with an id alone follows them. */
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
          };
        }
      | {
          /** @description Send the last one as `Last-Event-ID` to resume after it. `beginning` on the events that list the jobs under way when the stream began: a line with an id alone follows them. */
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
            /** @description Such as `ERR_5003`. */
            error_code: string;
            /** @description The same as a sentence, in the caller’s language. */
            error_message: string;
            /** @description What was refunded, in credits. */
            refunded: number;
          };
        }
      | {
          /** @description Send the last one as `Last-Event-ID` to resume after it. `beginning` on the events that list the jobs under way when the stream began: a line with an id alone follows them. */
          id: string;
          /** @enum {string} */
          event: 'credits';
          data: {
            /** @description What there is to spend now, in credits. */
            credits_remaining: number;
            /** @description What was gained, or, where negative, spent, in credits. */
            change: number;
            /** @description As in `get-credit-history`. */
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
    Onboarded: {
      /** Format: uuid */
      user_id: string;
      /** @description What there is to spend, in credits. */
      credits_remaining: number;
      /** @description Whether this call has made the account. */
      is_new: boolean;
      session: components['schemas']['Session'];
      /** @description The one of `session`. */
      access_token: string;
      /** @description The one of `session`. */
      refresh_token: string;
    };
    Session: {
      /** @description Sent as `Authorization: Bearer …` with every call. */
      access_token: string;
      /** @enum {string} */
      token_type: 'bearer';
      /** @description Life of the access token, in seconds. */
      expires_in: number;
      /** @description Its end, in Unix seconds. */
      expires_at: number;
      /** @description Trades once for the next pair of tokens. */
      refresh_token: string;
      user: {
        /** Format: uuid */
        id: string;
        /** @enum {string} */
        aud: 'authenticated';
        /** @enum {string} */
        role: 'authenticated';
        /** @description Empty where none is known. */
        email: string;
        /** @description Always empty: no number is asked for. */
        phone: string;
        /** @description How the account signs in; empty for guests. */
        app_metadata: {
          [key: string]: unknown;
        };
        user_metadata: {
          [key: string]: unknown;
        };
        identities: unknown[];
        /** @description Whether this is a guest. */
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
    };
    Error: {
      error: {
        /**
         * @description Stable: branch on it. More may follow in the same families.
         * @example ERR_4001
         */
        code: string;
        /** @description A sentence for people, in the language of `Accept-Language`. */
        message: string;
        /** @description What the code says of this request, such as `field` and `allowed`; empty where there is no more to say. */
        details: {
          [key: string]: unknown;
        };
      };
    };
    Profile: {
      /** Format: uuid */
      id: string;
      email: string | null;
      /** @description The id that the app sent to device-check. */
      device_id: string | null;
      /** @description The Apple user, where the account has one. */
      apple_sub: string | null;
      /** @description Known by a device alone. */
      is_guest: boolean;
      /** @enum {string} */
      tier: 'free' | 'premium';
      /** @description What there is to spend; below zero after the refund of a purchase that was spent, in credits. */
      credits_remaining: number;
      /** @description All that was ever granted or bought; refunds do not count, in credits. */
      credits_total: number;
      initial_grant_claimed: boolean;
      /**
       * @description Spoken where `Accept-Language` asks for none of ours.
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
    Keys: {
      /** @description JSON Web Keys: EC, P-256, for ES256. */
      keys: {
        [key: string]: unknown;
      }[];
    };
    Balance: {
      /** @description What there is to spend, in credits. */
      credits_remaining: number;
    };
    Transactions: {
      transactions: {
        /** Format: uuid */
        id: string;
        /** @description What was gained, or, where negative, spent, in credits. */
        change: number;
        /** @description Such as `initial_grant`, `video_generation` or `generation_failed_refund`; more follow with what there is to buy and to correct. */
        reason: string;
        /** @description The balance once this had happened, in credits. */
        balance_after: number;
        /**
         * Format: uuid
         * @description The job that was paid for or refunded.
         */
        job_id: string | null;
        /**
         * Format: date-time
         * @example 2026-11-23T09:30:00.000Z
         */
        created_at: string;
      }[];
      /** @description Send it as `cursor` for the next page; null on the last. */
      next_cursor: string | null;
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
      /** @description What it is good at, for people, in English. */
      description: string;
      /** @description The price of one generation with the default settings, in credits. */
      cost_per_generation: number;
      /** @description `ceil(duration / per_seconds) × credits`; flat where `per_seconds` is null. */
      pricing: {
        /** @description The price of each started `per_seconds`, or of the whole, in credits. */
        credits: number;
        /** @description In seconds of video; null: the price is flat. */
        per_seconds: number | null;
      };
      /** @description Who makes the video: `fal`, `runway`, `pika` or `sandbox`. */
      provider: string;
      /** @description What the provider calls the model. */
      provider_model_id: string;
      /** @description No vendor is called: a stock film of the length that was paid for stands in. Never in production. */
      is_simulated: boolean;
      /** @description Listed first. */
      is_featured: boolean;
      /** @description Always true in this list. */
      is_available: boolean;
      /** @description Needs an `image_url`. */
      requires_image: boolean;
      /** @description The longest prompt, in characters after trimming; the shortest has 3. */
      prompt_max: number;
      /** Format: uri */
      thumbnail_url: string | null;
      /** @description JSON Schema 2020-12 of the `settings` that this model takes. */
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
      /** @description All that it admits. */
      enum?: (string | number | boolean)[];
      minimum?: number;
      maximum?: number;
      default?: string | number | boolean;
    };
    GenerationStarted: {
      /** Format: uuid */
      job_id: string;
      /** @enum {string} */
      status: 'pending';
      /** @description The price, which has been charged, in credits. */
      credits_used: number;
    };
    VideoJob: {
      /** Format: uuid */
      job_id: string;
      status: components['schemas']['JobStatus'];
      /**
       * Format: uri
       * @description The video, an MP4; null until there is one. Signed, valid for 24 hours; renewed on every read.
       */
      video_url: string | null;
      /**
       * Format: uri
       * @description A thumbnail of it, a JPEG; null until there is one. Signed, valid for 24 hours; renewed on every read.
       */
      thumbnail_url: string | null;
      /** @description In percent, where the provider says. */
      progress: number | null;
      /** @description How many jobs are before it at the provider, where the provider says. */
      queue_position: number | null;
      /** @description Why it failed, such as `ERR_5003`; its credits are refunded. */
      error_code: string | null;
      /** @description The same as a sentence, in the caller’s language. */
      error_message: string | null;
      prompt: string;
      /** @description What the model was called when this was made. */
      model_name: string;
      /** @description What was charged; refunded where the job failed, in credits. */
      credits_used: number;
      /**
       * Format: date-time
       * @example 2026-11-23T09:30:00.000Z
       */
      created_at: string;
      /**
       * Format: date-time
       * @description When it ended, completed or failed; null before.
       * @example 2026-11-23T09:30:00.000Z
       */
      completed_at: string | null;
    };
    /**
     * @description `pending` → `processing` → `completed` or `failed`; the last two never change.
     * @enum {string}
     */
    JobStatus: 'pending' | 'processing' | 'completed' | 'failed';
    VideoJobs: {
      jobs: {
        /** Format: uuid */
        job_id: string;
        prompt: string;
        /** @description What the model was called when this was made. */
        model_name: string;
        /** @description What was charged; refunded where the job failed, in credits. */
        credits_used: number;
        status: components['schemas']['JobStatus'];
        /**
         * Format: uri
         * @description The video, an MP4; null until there is one. Signed, valid for 24 hours; renewed on every read.
         */
        video_url: string | null;
        /**
         * Format: uri
         * @description A thumbnail of it, a JPEG; null until there is one. Signed, valid for 24 hours; renewed on every read.
         */
        thumbnail_url: string | null;
        /**
         * Format: date-time
         * @example 2026-11-23T09:30:00.000Z
         */
        created_at: string;
      }[];
      /** @description How many there are on all pages. */
      total: number;
      has_more: boolean;
      /** @description Send it as `cursor` for the next page; null on the last. */
      next_cursor: string | null;
    };
    Cancelled: {
      /** @enum {boolean} */
      success: true;
      /** @description What was refunded, in credits. */
      refunded: number;
      /** @description What there is to spend now, in credits. */
      credits_remaining: number;
    };
    Removed: {
      /** @enum {boolean} */
      success: true;
    };
    ObjectEntries: components['schemas']['ObjectEntry'][];
    ObjectEntry: {
      name: string;
      /** @description Null: a folder. */
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
      /** @description The folder; empty for the root, where only one’s own is. */
      prefix?: string;
      /** @default 100 */
      limit?: number;
      /** @default 0 */
      offset?: number;
      search?: string | null;
      sortBy?: {
        /** @enum {string} */
        column?: 'name' | 'created_at' | 'updated_at';
        /** @enum {string} */
        order?: 'asc' | 'desc';
      };
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
      metadata: Record<string, never>;
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
      /** @description Whole paths; folders are none. */
      prefixes: string[];
    };
    SignedAddresses: {
      error: string | null;
      path: string;
      signedURL: string | null;
    }[];
    SignObjects: {
      /**
       * @description Seconds; a week at most.
       * @example 3600
       */
      expiresIn: number;
      paths: string[];
    };
    SignedAddress: {
      /** @description Behind `/storage/v1`. */
      signedURL: string;
    };
    SignObject: {
      /**
       * @description Seconds; a week at most.
       * @example 3600
       */
      expiresIn: number;
    };
    UploadAddress: {
      /** @description Behind `/storage/v1`. */
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
      /** @description The event is recorded once by it; else by the SHA-256 of the body. */
      id?: string | null;
      /** @enum {string} */
      type: 'video.completed' | 'video.failed';
      data: {
        provider?: string | null;
        provider_job_id: string;
        /** @description Not used: the provider itself is asked. */
        video_url?: string;
        /** @description Not used: the provider itself is asked. */
        thumbnail_url?: string;
        /** @description Not used: the provider itself is asked. */
        error?: unknown;
      };
    };
    FalEvent: {
      request_id: string;
      /** @enum {string} */
      status: 'OK' | 'ERROR';
      payload?: unknown;
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
    /** @description Names this request in our logs: quote it when you report a problem. */
    RequestId: string;
    /** @description The language of the sentence: `en`, `tr` or `es`. */
    ContentLanguage: string;
    /** @description `Bearer`, with `error="invalid_token"` where a token was sent. */
    WwwAuthenticate: string;
    /** @description Whole seconds to wait before the same request is worth repeating, where we know. */
    RetryAfter: number;
    /** @description The limit: `"generations";q=10;w=3600` is 10 in 3600 seconds. */
    RateLimitPolicy: string;
    /** @description What is left of it: `"generations";r=7;t=1200` is 7, for 1200 seconds. */
    RateLimit: string;
    /** @description `true` where this is the stored answer of an earlier call. */
    IdempotentReplay: string;
    /** @description Strong: send it as `If-None-Match` to hear 304 while nothing has changed. */
    ETag: string;
    /** @description How long a copy may be kept. */
    CacheControl: string;
    /** @description `bytes`: parts of the file can be asked for. */
    AcceptRanges: string;
    /** @description Which bytes these are, of how many. */
    ContentRange: string;
    /** @description `attachment` with a file name where `download` was asked for. */
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
        /** @description The language of the sentences: `en`, `tr` or `es`, with q-values. Without it: the account’s own. */
        'Accept-Language'?: string;
      };
      path?: never;
      cookie?: never;
    };
    requestBody: {
      content: {
        'application/json': {
          /** @description The app’s own id of this installation, such as `identifierForVendor`: 8 to 128 printable characters. UUIDs are compared without regard to case. */
          device_id: string;
          /** @description Apple’s DeviceCheck token in base64; absent or null on devices without DeviceCheck, which get an account without the initial credits. In development the simulator takes the base64 of `device:` and any name. */
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
       * @description `ERR_4010` device rejected. Ask DeviceCheck for a fresh token and try once more; then tell the person.
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
      /** @description `ERR_6003` internal error. Repeat once after a few seconds, with the same `Idempotency-Key`; then report the `X-Request-Id` of the answer. */
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
      /** @description `ERR_4017` switched off by configuration. Hide the feature. Whoever runs the server can configure it. */
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
       * @description `ERR_6004` outside service unavailable. Repeat after a minute or so. Keep the session and the tokens: nothing is wrong with them.
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
        /** @description Only checked against the token: another user’s id is 403. */
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
      /** @description `ERR_4005` unauthorized. On 401 refresh the session once and repeat; if that fails, sign in again. On 403 do not repeat: the caller is known and not allowed. */
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
       * @description `ERR_4005` unauthorized. On 401 refresh the session once and repeat; if that fails, sign in again. On 403 do not repeat: the caller is known and not allowed.
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
      /** @description `ERR_6003` internal error. Repeat once after a few seconds, with the same `Idempotency-Key`; then report the `X-Request-Id` of the answer. */
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
           * @description Only checked against the token: another user’s id is 403.
           */
          user_id?: string;
          /** @enum {string} */
          language?: 'en' | 'tr' | 'es';
          /** @enum {string} */
          theme_preference?: 'light' | 'dark' | 'system';
        };
      };
    };
    responses: {
      /** @description The profile after the change */
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
      /** @description `ERR_4005` unauthorized. On 401 refresh the session once and repeat; if that fails, sign in again. On 403 do not repeat: the caller is known and not allowed. */
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
       * @description `ERR_4005` unauthorized. On 401 refresh the session once and repeat; if that fails, sign in again. On 403 do not repeat: the caller is known and not allowed.
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
      /** @description `ERR_6003` internal error. Repeat once after a few seconds, with the same `Idempotency-Key`; then report the `X-Request-Id` of the answer. */
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
           * @description Only checked against the token: another user’s id is 403.
           */
          user_id?: string;
          /** @enum {string} */
          language?: 'en' | 'tr' | 'es';
          /** @enum {string} */
          theme_preference?: 'light' | 'dark' | 'system';
        };
      };
    };
    responses: {
      /** @description The profile after the change */
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
      /** @description `ERR_4005` unauthorized. On 401 refresh the session once and repeat; if that fails, sign in again. On 403 do not repeat: the caller is known and not allowed. */
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
       * @description `ERR_4005` unauthorized. On 401 refresh the session once and repeat; if that fails, sign in again. On 403 do not repeat: the caller is known and not allowed.
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
      /** @description `ERR_6003` internal error. Repeat once after a few seconds, with the same `Idempotency-Key`; then report the `X-Request-Id` of the answer. */
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
  refreshSession: {
    parameters: {
      query: {
        grant_type: 'refresh_token';
      };
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody: {
      content: {
        'application/json': {
          refresh_token: string;
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
      /** @description The token is no longer valid: `refresh_token_not_found`, `refresh_token_already_used`, `session_expired`, `session_not_found`, `user_banned`. Forget the session and onboard the device again. */
      400: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['AuthError'];
        };
      };
      /** @description `validation_failed`. Send the refresh token alone. */
      413: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['AuthError'];
        };
      };
      /** @description `validation_failed`. Send `application/json`. */
      415: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['AuthError'];
        };
      };
      /** @description `over_request_rate_limit`. Wait for `Retry-After` seconds; the token stays valid. */
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
      /** @description `unexpected_failure`. Try again with the same token: it stays valid. */
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
      /** @description `unexpected_failure`. Try again later with the same token: it stays valid. */
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
  getUserCredits: {
    parameters: {
      query?: {
        /** @description Only checked against the token: another user’s id is 403. */
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
      /** @description `ERR_4005` unauthorized. On 401 refresh the session once and repeat; if that fails, sign in again. On 403 do not repeat: the caller is known and not allowed. */
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
       * @description `ERR_4005` unauthorized. On 401 refresh the session once and repeat; if that fails, sign in again. On 403 do not repeat: the caller is known and not allowed.
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
      /** @description `ERR_6003` internal error. Repeat once after a few seconds, with the same `Idempotency-Key`; then report the `X-Request-Id` of the answer. */
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
        /** @description Only checked against the token: another user’s id is 403. */
        user_id?: string;
        /** @description How many to answer with. */
        limit?: number;
        /** @description The `next_cursor` of the page before. */
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
      /** @description `ERR_4005` unauthorized. On 401 refresh the session once and repeat; if that fails, sign in again. On 403 do not repeat: the caller is known and not allowed. */
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
       * @description `ERR_4005` unauthorized. On 401 refresh the session once and repeat; if that fails, sign in again. On 403 do not repeat: the caller is known and not allowed.
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
      /** @description `ERR_6003` internal error. Repeat once after a few seconds, with the same `Idempotency-Key`; then report the `X-Request-Id` of the answer. */
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
        /** @description The `ETag` of the stored copy. */
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
           *           "description": "Film-like scenes with convincing light and motion. Our best picture quality.",
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
      /** @description `ERR_6003` internal error. Repeat once after a few seconds, with the same `Idempotency-Key`; then report the `X-Request-Id` of the answer. */
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
        /** @description A UUID that the caller creates: the same key never pays twice. */
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
           * @description Only checked against the token: another user’s id is 403.
           */
          user_id?: string;
          /**
           * Format: uuid
           * @description An `id` of `get-models`.
           * @example 3f2504e0-4f89-41d3-9a0c-0305e82c3301
           */
          model_id: string;
          /**
           * @description 3 characters to the model’s `prompt_max`, after trimming.
           * @example a cat playing piano
           */
          prompt: string;
          /** @description As the model’s `settings_schema` says; what is left out takes its default. */
          settings?: {
            [key: string]: unknown;
          } | null;
          /** @description For models that need an image: one that the caller has uploaded to `user_uploads`, by its path or any form of its URL. Its shorter side has at least 256 pixels, and the longer one at most 2.4 times as many. */
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
       *     `ERR_4002` invalid, unknown or unavailable model. Read `get-models` again and let the person choose another model.
       *
       *     `ERR_4003` invalid prompt. Keep the prompt between 3 characters and the model's `prompt_max`; show the message beside the field.
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
      /** @description `ERR_4005` unauthorized. On 401 refresh the session once and repeat; if that fails, sign in again. On 403 do not repeat: the caller is known and not allowed. */
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
       * @description `ERR_4005` unauthorized. On 401 refresh the session once and repeat; if that fails, sign in again. On 403 do not repeat: the caller is known and not allowed.
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
      /** @description `ERR_4008` conflict with the present state. Read the present state and decide again. With `Retry-After`, repeat the same request after that many seconds. */
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
      /** @description `ERR_4009` idempotency key used for another request. A bug in the client: use a new `Idempotency-Key` for each new request and the old one only to repeat. */
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
      /** @description `ERR_6003` internal error. Repeat once after a few seconds, with the same `Idempotency-Key`; then report the `X-Request-Id` of the answer. */
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
      /** @description `ERR_5002` provider unavailable. Nothing stays charged. Offer another model, or try again later. */
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
  getVideoStatus: {
    parameters: {
      query: {
        /** @description Only checked against the token: another user’s id is 403. */
        user_id?: string;
        /** @description As `generate-video` answered. */
        job_id: string;
      };
      header?: {
        /** @description The language of the sentences: `en`, `tr` or `es`, with q-values. Without it: the account’s own. */
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
      /** @description `ERR_4005` unauthorized. On 401 refresh the session once and repeat; if that fails, sign in again. On 403 do not repeat: the caller is known and not allowed. */
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
       * @description `ERR_4005` unauthorized. On 401 refresh the session once and repeat; if that fails, sign in again. On 403 do not repeat: the caller is known and not allowed.
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
      /** @description `ERR_6003` internal error. Repeat once after a few seconds, with the same `Idempotency-Key`; then report the `X-Request-Id` of the answer. */
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
        /** @description Only checked against the token: another user’s id is 403. */
        user_id?: string;
        /** @description As `generate-video` answered. */
        job_id: string;
      };
      header?: {
        /** @description The language of the sentences: `en`, `tr` or `es`, with q-values. Without it: the account’s own. */
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
      /** @description `ERR_4005` unauthorized. On 401 refresh the session once and repeat; if that fails, sign in again. On 403 do not repeat: the caller is known and not allowed. */
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
       * @description `ERR_4005` unauthorized. On 401 refresh the session once and repeat; if that fails, sign in again. On 403 do not repeat: the caller is known and not allowed.
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
      /** @description `ERR_6003` internal error. Repeat once after a few seconds, with the same `Idempotency-Key`; then report the `X-Request-Id` of the answer. */
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
        /** @description Only checked against the token: another user’s id is 403. */
        user_id?: string;
        /** @description How many to answer with. */
        limit?: number;
        /** @description How many to skip, in small lists. */
        offset?: number;
        /** @description The `next_cursor` of the page before. */
        cursor?: string;
        /** @description `pending` → `processing` → `completed` or `failed`; the last two never change. */
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
           *           "model_name": "Cinematic",
           *           "credits_used": 4,
           *           "status": "completed",
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
      /** @description `ERR_4005` unauthorized. On 401 refresh the session once and repeat; if that fails, sign in again. On 403 do not repeat: the caller is known and not allowed. */
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
       * @description `ERR_4005` unauthorized. On 401 refresh the session once and repeat; if that fails, sign in again. On 403 do not repeat: the caller is known and not allowed.
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
      /** @description `ERR_6003` internal error. Repeat once after a few seconds, with the same `Idempotency-Key`; then report the `X-Request-Id` of the answer. */
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
        /** @description With it, a repeat gets the first answer. */
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
           * @description Only checked against the token: another user’s id is 403.
           */
          user_id?: string;
          /**
           * Format: uuid
           * @description As `generate-video` answered.
           * @example 9b2f8f3c-5f0e-4b8e-9d0e-2a6c1f7d4e55
           */
          job_id: string;
        };
      };
    };
    responses: {
      /** @description The refunded credits, and the balance */
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
      /** @description `ERR_4005` unauthorized. On 401 refresh the session once and repeat; if that fails, sign in again. On 403 do not repeat: the caller is known and not allowed. */
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
       * @description `ERR_4005` unauthorized. On 401 refresh the session once and repeat; if that fails, sign in again. On 403 do not repeat: the caller is known and not allowed.
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
      /** @description `ERR_4008` conflict with the present state. Read the present state and decide again. With `Retry-After`, repeat the same request after that many seconds. */
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
      /** @description `ERR_4009` idempotency key used for another request. A bug in the client: use a new `Idempotency-Key` for each new request and the old one only to repeat. */
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
      /** @description `ERR_6003` internal error. Repeat once after a few seconds, with the same `Idempotency-Key`; then report the `X-Request-Id` of the answer. */
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
           * @description Only checked against the token: another user’s id is 403.
           */
          user_id?: string;
          /**
           * Format: uuid
           * @description As `generate-video` answered.
           * @example 9b2f8f3c-5f0e-4b8e-9d0e-2a6c1f7d4e55
           */
          job_id: string;
        };
      };
    };
    responses: {
      /** @description Deleted */
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
      /** @description `ERR_4005` unauthorized. On 401 refresh the session once and repeat; if that fails, sign in again. On 403 do not repeat: the caller is known and not allowed. */
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
       * @description `ERR_4005` unauthorized. On 401 refresh the session once and repeat; if that fails, sign in again. On 403 do not repeat: the caller is known and not allowed.
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
      /** @description `ERR_4008` conflict with the present state. Read the present state and decide again. With `Retry-After`, repeat the same request after that many seconds. */
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
      /** @description `ERR_6003` internal error. Repeat once after a few seconds, with the same `Idempotency-Key`; then report the `X-Request-Id` of the answer. */
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
           * @description Only checked against the token: another user’s id is 403.
           */
          user_id?: string;
          /**
           * Format: uuid
           * @description As `generate-video` answered.
           * @example 9b2f8f3c-5f0e-4b8e-9d0e-2a6c1f7d4e55
           */
          job_id: string;
        };
      };
    };
    responses: {
      /** @description Deleted */
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
      /** @description `ERR_4005` unauthorized. On 401 refresh the session once and repeat; if that fails, sign in again. On 403 do not repeat: the caller is known and not allowed. */
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
       * @description `ERR_4005` unauthorized. On 401 refresh the session once and repeat; if that fails, sign in again. On 403 do not repeat: the caller is known and not allowed.
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
      /** @description `ERR_4008` conflict with the present state. Read the present state and decide again. With `Retry-After`, repeat the same request after that many seconds. */
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
      /** @description `ERR_6003` internal error. Repeat once after a few seconds, with the same `Idempotency-Key`; then report the `X-Request-Id` of the answer. */
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
      /** @description Files and folders */
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
      /** @description `ERR_4005` unauthorized. On 401 refresh the session once and repeat; if that fails, sign in again. On 403 do not repeat: the caller is known and not allowed. */
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
       * @description `ERR_4005` unauthorized. On 401 refresh the session once and repeat; if that fails, sign in again. On 403 do not repeat: the caller is known and not allowed.
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
      /** @description `ERR_6003` internal error. Repeat once after a few seconds, with the same `Idempotency-Key`; then report the `X-Request-Id` of the answer. */
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
        /** @description `<user_id>/…`; its slashes are part of the URL. Names consist of letters, digits and `. _ -`. */
        path: string;
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description It is there */
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
      /** @description `ERR_4005` unauthorized. On 401 refresh the session once and repeat; if that fails, sign in again. On 403 do not repeat: the caller is known and not allowed. */
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
       * @description `ERR_4005` unauthorized. On 401 refresh the session once and repeat; if that fails, sign in again. On 403 do not repeat: the caller is known and not allowed.
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
      /** @description `ERR_6003` internal error. Repeat once after a few seconds, with the same `Idempotency-Key`; then report the `X-Request-Id` of the answer. */
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
        /** @description Part of the file, such as `bytes=0-1023`. */
        Range?: string;
        /** @description The `ETag` of the file that the range is of. */
        'If-Range'?: string;
        /** @description The `ETag` of the stored copy. */
        'If-None-Match'?: string;
      };
      path: {
        bucket: 'videos' | 'thumbnails' | 'user_uploads';
        /** @description `<user_id>/…`; its slashes are part of the URL. Names consist of letters, digits and `. _ -`. */
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
      /** @description The range */
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
      /** @description The stored copy is still good */
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
      /** @description `ERR_4005` unauthorized. On 401 refresh the session once and repeat; if that fails, sign in again. On 403 do not repeat: the caller is known and not allowed. */
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
       * @description `ERR_4005` unauthorized. On 401 refresh the session once and repeat; if that fails, sign in again. On 403 do not repeat: the caller is known and not allowed.
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
      /** @description The range lies outside the file */
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
      /** @description `ERR_6003` internal error. Repeat once after a few seconds, with the same `Idempotency-Key`; then report the `X-Request-Id` of the answer. */
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
        /** @description Part of the file, such as `bytes=0-1023`. */
        Range?: string;
        /** @description The `ETag` of the file that the range is of. */
        'If-Range'?: string;
        /** @description The `ETag` of the stored copy. */
        'If-None-Match'?: string;
      };
      path: {
        bucket: 'videos' | 'thumbnails' | 'user_uploads';
        /** @description `<user_id>/…`; its slashes are part of the URL. Names consist of letters, digits and `. _ -`. */
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
      /** @description The range */
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
      /** @description The stored copy is still good */
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
      /** @description `ERR_4005` unauthorized. On 401 refresh the session once and repeat; if that fails, sign in again. On 403 do not repeat: the caller is known and not allowed. */
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
       * @description `ERR_4005` unauthorized. On 401 refresh the session once and repeat; if that fails, sign in again. On 403 do not repeat: the caller is known and not allowed.
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
      /** @description The range lies outside the file */
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
      /** @description `ERR_6003` internal error. Repeat once after a few seconds, with the same `Idempotency-Key`; then report the `X-Request-Id` of the answer. */
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
      header?: never;
      path: {
        bucket: 'videos' | 'thumbnails' | 'user_uploads';
        /** @description `<user_id>/…`; its slashes are part of the URL. Names consist of letters, digits and `. _ -`. */
        path: string;
      };
      cookie?: never;
    };
    requestBody: {
      content: {
        'image/jpeg': string;
        'image/png': string;
        'image/webp': string;
        'multipart/form-data': {
          /** Format: binary */
          ''?: string;
        };
      };
    };
    responses: {
      /** @description It is stored */
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
      /** @description `ERR_4005` unauthorized. On 401 refresh the session once and repeat; if that fails, sign in again. On 403 do not repeat: the caller is known and not allowed. */
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
       * @description `ERR_4005` unauthorized. On 401 refresh the session once and repeat; if that fails, sign in again. On 403 do not repeat: the caller is known and not allowed.
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
      /** @description `ERR_4008` conflict with the present state. Read the present state and decide again. With `Retry-After`, repeat the same request after that many seconds. */
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
      /** @description `ERR_6003` internal error. Repeat once after a few seconds, with the same `Idempotency-Key`; then report the `X-Request-Id` of the answer. */
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
        /** @description `true`: replaces an existing object. */
        'x-upsert'?: string;
      };
      path: {
        bucket: 'videos' | 'thumbnails' | 'user_uploads';
        /** @description `<user_id>/…`; its slashes are part of the URL. Names consist of letters, digits and `. _ -`. */
        path: string;
      };
      cookie?: never;
    };
    requestBody: {
      content: {
        'image/jpeg': string;
        'image/png': string;
        'image/webp': string;
        'multipart/form-data': {
          /** Format: binary */
          ''?: string;
        };
      };
    };
    responses: {
      /** @description It is stored */
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
      /** @description `ERR_4005` unauthorized. On 401 refresh the session once and repeat; if that fails, sign in again. On 403 do not repeat: the caller is known and not allowed. */
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
       * @description `ERR_4005` unauthorized. On 401 refresh the session once and repeat; if that fails, sign in again. On 403 do not repeat: the caller is known and not allowed.
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
      /** @description `ERR_4008` conflict with the present state. Read the present state and decide again. With `Retry-After`, repeat the same request after that many seconds. */
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
      /** @description `ERR_6003` internal error. Repeat once after a few seconds, with the same `Idempotency-Key`; then report the `X-Request-Id` of the answer. */
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
        /** @description `<user_id>/…`; its slashes are part of the URL. Names consist of letters, digits and `. _ -`. */
        path: string;
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description What was deleted */
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
      /** @description `ERR_4005` unauthorized. On 401 refresh the session once and repeat; if that fails, sign in again. On 403 do not repeat: the caller is known and not allowed. */
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
       * @description `ERR_4005` unauthorized. On 401 refresh the session once and repeat; if that fails, sign in again. On 403 do not repeat: the caller is known and not allowed.
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
      /** @description `ERR_6003` internal error. Repeat once after a few seconds, with the same `Idempotency-Key`; then report the `X-Request-Id` of the answer. */
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
      /** @description What was deleted */
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
      /** @description `ERR_4005` unauthorized. On 401 refresh the session once and repeat; if that fails, sign in again. On 403 do not repeat: the caller is known and not allowed. */
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
       * @description `ERR_4005` unauthorized. On 401 refresh the session once and repeat; if that fails, sign in again. On 403 do not repeat: the caller is known and not allowed.
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
      /** @description `ERR_6003` internal error. Repeat once after a few seconds, with the same `Idempotency-Key`; then report the `X-Request-Id` of the answer. */
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
        /** @description The signature, as the URL came with it. */
        token: string;
        /** @description Offers the file as a download under this name; under its own where it is empty. */
        download?: string;
      };
      header?: {
        /** @description Part of the file, such as `bytes=0-1023`. */
        Range?: string;
        /** @description The `ETag` of the file that the range is of. */
        'If-Range'?: string;
        /** @description The `ETag` of the stored copy. */
        'If-None-Match'?: string;
      };
      path: {
        bucket: 'videos' | 'thumbnails' | 'user_uploads';
        /** @description `<user_id>/<yyyy-mm>/<job_id>.mp4`, or `.jpg` in `thumbnails`; `<user_id>/…` in `user_uploads`. Its slashes are part of the URL. */
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
      /** @description The range */
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
      /** @description The stored copy is still good */
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
      /** @description `ERR_4005` unauthorized. On 401 refresh the session once and repeat; if that fails, sign in again. On 403 do not repeat: the caller is known and not allowed. */
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
      /** @description The range lies outside the file */
      416: {
        headers: {
          'X-Request-Id': components['headers']['RequestId'];
          'Content-Range': components['headers']['ContentRange'];
          [name: string]: unknown;
        };
        content?: never;
      };
      /** @description `ERR_6003` internal error. Repeat once after a few seconds, with the same `Idempotency-Key`; then report the `X-Request-Id` of the answer. */
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
        /** @description `<user_id>/…`; its slashes are part of the URL. Names consist of letters, digits and `. _ -`. */
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
      /** @description The URL */
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
      /** @description `ERR_4005` unauthorized. On 401 refresh the session once and repeat; if that fails, sign in again. On 403 do not repeat: the caller is known and not allowed. */
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
       * @description `ERR_4005` unauthorized. On 401 refresh the session once and repeat; if that fails, sign in again. On 403 do not repeat: the caller is known and not allowed.
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
      /** @description `ERR_6003` internal error. Repeat once after a few seconds, with the same `Idempotency-Key`; then report the `X-Request-Id` of the answer. */
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
        /** @description The signature, as the URL came with it. */
        token: string;
        /** @description Offers the file as a download under this name; under its own where it is empty. */
        download?: string;
      };
      header?: never;
      path: {
        bucket: 'videos' | 'thumbnails' | 'user_uploads';
        /** @description `<user_id>/<yyyy-mm>/<job_id>.mp4`, or `.jpg` in `thumbnails`; `<user_id>/…` in `user_uploads`. Its slashes are part of the URL. */
        path: string;
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description The file is there */
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
      /** @description The stored copy is still good */
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
      /** @description `ERR_4005` unauthorized: the link has expired, or is not ours. */
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
      /** @description The URLs, in the order of the paths */
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
      /** @description `ERR_4005` unauthorized. On 401 refresh the session once and repeat; if that fails, sign in again. On 403 do not repeat: the caller is known and not allowed. */
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
       * @description `ERR_4005` unauthorized. On 401 refresh the session once and repeat; if that fails, sign in again. On 403 do not repeat: the caller is known and not allowed.
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
      /** @description `ERR_6003` internal error. Repeat once after a few seconds, with the same `Idempotency-Key`; then report the `X-Request-Id` of the answer. */
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
        /** @description The signature, as the URL came with it. */
        token: string;
      };
      header?: never;
      path: {
        bucket: 'videos' | 'thumbnails' | 'user_uploads';
        /** @description `<user_id>/…`; its slashes are part of the URL. Names consist of letters, digits and `. _ -`. */
        path: string;
      };
      cookie?: never;
    };
    requestBody: {
      content: {
        'image/jpeg': string;
        'image/png': string;
        'image/webp': string;
        'multipart/form-data': {
          /** Format: binary */
          ''?: string;
        };
      };
    };
    responses: {
      /** @description It is stored */
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
       * @description `ERR_4005` unauthorized. On 401 refresh the session once and repeat; if that fails, sign in again. On 403 do not repeat: the caller is known and not allowed.
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
      /** @description `ERR_4008` conflict with the present state. Read the present state and decide again. With `Retry-After`, repeat the same request after that many seconds. */
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
      /** @description `ERR_6003` internal error. Repeat once after a few seconds, with the same `Idempotency-Key`; then report the `X-Request-Id` of the answer. */
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
        /** @description `true`: the upload may replace an existing object. */
        'x-upsert'?: string;
      };
      path: {
        bucket: 'videos' | 'thumbnails' | 'user_uploads';
        /** @description `<user_id>/…`; its slashes are part of the URL. Names consist of letters, digits and `. _ -`. */
        path: string;
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description The URL */
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
      /** @description `ERR_4005` unauthorized. On 401 refresh the session once and repeat; if that fails, sign in again. On 403 do not repeat: the caller is known and not allowed. */
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
       * @description `ERR_4005` unauthorized. On 401 refresh the session once and repeat; if that fails, sign in again. On 403 do not repeat: the caller is known and not allowed.
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
      /** @description `ERR_4008` conflict with the present state. Read the present state and decide again. With `Retry-After`, repeat the same request after that many seconds. */
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
      /** @description `ERR_6003` internal error. Repeat once after a few seconds, with the same `Idempotency-Key`; then report the `X-Request-Id` of the answer. */
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
        /** @description `fal` for fal’s form; else the generic one. */
        provider?: string;
        /** @description Our job, as the provider was told it. */
        job?: string;
      };
      header?: {
        /** @description Of the generic form. */
        'X-Webhook-Signature'?: string;
        /** @description Unix seconds; part of what is signed where it is sent. */
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
      /** @description Recorded, now or before */
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
      /** @description `ERR_4005` unauthorized. On 401 refresh the session once and repeat; if that fails, sign in again. On 403 do not repeat: the caller is known and not allowed. */
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
      /** @description `ERR_4005` unauthorized. On 401 refresh the session once and repeat; if that fails, sign in again. On 403 do not repeat: the caller is known and not allowed. */
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
      /** @description `ERR_6003` internal error. Repeat once after a few seconds, with the same `Idempotency-Key`; then report the `X-Request-Id` of the answer. */
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
        /** @description Only checked against the token: another user’s id is 403. */
        user_id?: string;
      };
      header?: {
        /** @description The id of the last event that the client has received. */
        'Last-Event-ID'?: string;
        /** @description The language of the sentences: `en`, `tr` or `es`, with q-values. Without it: the account’s own. */
        'Accept-Language'?: string;
      };
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description The stream */
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
           * @example retry: 3000
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
           *     data: {"job_id":"9b2f8f3c-5f0e-4b8e-9d0e-2a6c1f7d4e55","status":"completed","created_at":"2026-11-23T09:31:00.000Z"}
           */
          'text/event-stream': string;
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
      /** @description `ERR_4005` unauthorized. On 401 refresh the session once and repeat; if that fails, sign in again. On 403 do not repeat: the caller is known and not allowed. */
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
       * @description `ERR_4005` unauthorized. On 401 refresh the session once and repeat; if that fails, sign in again. On 403 do not repeat: the caller is known and not allowed.
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
      /** @description `ERR_6003` internal error. Repeat once after a few seconds, with the same `Idempotency-Key`; then report the `X-Request-Id` of the answer. */
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
      /** @description It is */
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
      /** @description It can */
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
      /** @description Not now: the check that is false says why */
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
}
