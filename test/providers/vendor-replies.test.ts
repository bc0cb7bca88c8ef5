/** What vendors' replies mean, in all the shapes and words that they come in. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findVideo } from '../../src/providers/find-video.ts';
import { isModerationMessage, isModerationType } from '../../src/providers/moderation.ts';
import { parseJson, readText } from '../../src/providers/reply.ts';
import { meaningOf } from '../../src/providers/status-word.ts';
import { messageIn, readVendorError } from '../../src/providers/vendor-error.ts';

const URL = 'https://v3.fal.media/files/a.mp4';

/** The text in pieces of that many bytes. */
function inPieces(text: string, size: number): Response {
  const bytes = new TextEncoder().encode(text);
  let at = 0;
  return new Response(
    new ReadableStream<Uint8Array>({
      pull(controller) {
        if (at >= bytes.length) return controller.close();
        controller.enqueue(bytes.subarray(at, at + size));
        at += size;
      },
    }),
  );
}

test('a small result is read out of a reply of many megabytes of data URIs', async () => {
  const image = `data:image/png;base64,${'iVBORw0KGgo\\/'.repeat(200_000)}`;
  const text = `{"debug":"${image}","video":{"url":"${URL}","note":"a \\"quoted\\" \\\\ word"},"frames":["${image}","é"]}`;
  assert.ok(text.length > 5_000_000);
  const read = await readText(inPieces(text, 65_536));
  assert.ok(read && read.length < 1_000);
  assert.deepEqual(parseJson(read), {
    debug: '',
    video: { url: URL, note: 'a "quoted" \\ word' },
    frames: ['', 'é'],
  });
  assert.equal(
    await readText(inPieces(`{"list":[${'1,'.repeat(3_000_000)}1]}`, 65_536)),
    null,
    'not everything is kept',
  );
});

test('text outside of long strings is not changed, wherever the pieces of a reply end', async () => {
  const text = '{"a\\\\":"\\\\\\"NaN\\" Infinity \\u00e9","b":[NaN,-Infinity,Infinity,"é\\n"],"NaN":-1}';
  const expected = { 'a\\': '\\"NaN" Infinity é', b: [null, null, null, 'é\n'], NaN: -1 };
  for (let size = 1; size <= text.length; size += 1) {
    assert.deepEqual(parseJson(await readText(inPieces(text, size))), expected, `pieces of ${size}`);
  }
  assert.deepEqual(parseJson(await readText(inPieces('{"a":"one\ntwo\t\u0000"}', 4))), { a: 'one\ntwo\t\u0000' });
  const page = '<a href="x">it\'s "not" ready</a> "';
  assert.equal(await readText(inPieces(page, 5)), page);
});

test('a video is found under every name and in every envelope, and nothing else is taken for one', () => {
  const video = { from: 'url', url: URL } as const;
  const sized = { ...video, bytes: 63_313 };
  const cases: [unknown, object][] = [
    [{ video: { url: URL, content_type: 'video/mp4', file_size: 63_313 } }, sized],
    [{ video: { url: URL, file_size: '63313' } }, sized],
    [{ video: { url: URL, file_size: null } }, video],
    [{ video: { url: URL, file_size: 0 } }, video],
    [{ status: 'COMPLETED', response: { video: { url: URL } }, response_url: 'https://queue.fal.run/x' }, video],
    [{ status: 'OK', payload: { video: { url: URL } } }, video],
    [{ data: { result: { output: { video: URL } } } }, video],
    [{ response: JSON.stringify({ video: { url: URL } }) }, video],
    [{ videos: [{ url: URL, fileSize: 63_313 }] }, sized],
    [{ video_url: URL }, video],
    [{ videoUrl: URL, thumbnail_url: 'https://v3.fal.media/t.jpg' }, video],
    [{ output_video: { url: URL } }, video],
    [{ generatedVideos: [{ video: { uri: URL } }] }, video],
    [{ output: [URL] }, video],
    [{ output: URL }, video],
    [{ output: ['https://v3.fal.media/i.png', URL] }, video],
    [{ artifacts: [{ url: URL, previewUrls: ['https://v3.fal.media/p.jpg'] }] }, video],
    [{ images: [{ url: 'https://v3.fal.media/i.png' }], url: URL }, video],
    [{ files: [{ url: 'https://v3.fal.media/i', content_type: 'image/png' }, { url: URL }] }, video],
    [URL, video],
  ];
  for (const [result, expected] of cases) assert.deepEqual(findVideo(result)?.video, expected, JSON.stringify(result));
  const thumbnail = { from: 'url', url: 'https://v3.fal.media/t.jpg' };
  for (const named of [{ thumbnail: { url: thumbnail.url } }, { thumbnail_url: thumbnail.url }]) {
    assert.deepEqual(findVideo({ response: { video: URL, ...named } })?.thumbnail, thumbnail);
  }
  for (const none of [
    ...[null, 7, 'done', [], {}, { video: null }, { video: {} }, { videos: [] }, { output: [7, '', null] }],
    { video: { url: 'data:video/mp4;base64,AAAA' } },
    { video: { url: 'file:///etc/passwd' } },
    { images: [{ url: 'https://v3.fal.media/i.png' }] },
    { url: 'https://v3.fal.media/i.png' },
    { input_video: { url: URL }, reference_video_url: URL, status_url: URL, response_url: URL },
  ]) {
    assert.equal(findVideo(none), null, JSON.stringify(none));
  }
});

test('an explanation is read from text, lists and objects, and the user’s input is not', () => {
  for (const [body, message] of [
    [{ detail: 'no' }, 'no'],
    [{ detail: ['no', 'never'] }, 'no; never'],
    [{ detail: { msg: 'no', type: 'value_error', input: 'a heron' } }, 'value_error: no'],
    [
      {
        detail: [
          { loc: ['body', 'prompt'], msg: 'no', type: 'value_error', input: { prompt: 'x' }, ctx: { error: 'y' } },
        ],
      },
      'body.prompt value_error: no',
    ],
    [{ error: { message: 'no', code: 'bad' } }, 'no'],
    [{ errors: [{ detail: { message: 'no' } }] }, 'no'],
    [{ error: 'no', issues: [{ path: ['promptText'], message: 'short' }] }, 'no; promptText: short'],
    [{ failure: 'no', failureCode: 'INTERNAL' }, 'no'],
  ] as const) {
    assert.equal(messageIn(readVendorError(body)), message);
  }
  for (const body of [undefined, null, 'no', 7, [], { input: 'no' }]) {
    assert.deepEqual(readVendorError(body).lines, [], JSON.stringify(body));
  }
});

test('a moderated prompt is distinguished from a wrong one, in the words of many vendors', () => {
  for (const message of [
    'Request blocked due to safety violations (harmful content). Please modify your input and retry.',
    'The content could not be processed because it contained material flagged by a content checker.',
    'The generated image was blocked by the safety filter.',
    'Your request was rejected by our safety system.',
    'This prompt contains sensitive words that violate Google’s Responsible AI practices.',
    'Veo could not generate 1 videos based on the prompt provided. Try rephrasing the prompt.',
    'The request failed because the output video may contain sensitive information.',
    'NSFW content detected',
    'Prohibited content',
    'Failed: content policy violation',
    'content_policy',
    'Your prompt violates our terms of service',
    'Input violates the usage policies',
    'This goes against our community guidelines',
    'Failure to pass the risk control system',
    'The image may contain likenesses of real people',
    'Rejected by content moderation',
    'Inappropriate prompt',
    'Input was flagged',
  ]) {
    assert.ok(isModerationMessage(message), message);
  }
  for (const message of [
    'Prompt is too long',
    'Field required',
    'Input should be "1", "2" or "6": safety_tolerance',
    'enable_safety_checker: Input should be a valid boolean',
    'safety tolerance must be between 1 and 6',
    'The value is case-sensitive',
    'Extra inputs are not permitted',
    'Failed to load the image',
    'The content moderation service is temporarily unavailable',
    'User is locked. Reason: the account violates our usage policy',
    'Model raised an exception',
  ]) {
    assert.ok(!isModerationMessage(message), message);
  }
  const types = [
    'content_policy_violation',
    'nsfw_content_detected',
    'moderation_blocked',
    'SAFETY.INPUT.TEXT',
    'MODERATED',
  ];
  types.push(
    'OutputAudioSensitiveContentDetected',
    'safety_violation',
    'prohibited_content',
    'INPUT_PREPROCESSING.SAFETY',
  );
  for (const type of types) assert.ok(isModerationType(type), type);
  for (const type of ['SAFETYNET.DOWN', 'safety_tolerance', 'value_error', 'account_blocked', 'FAILED', 'INTERNAL']) {
    assert.ok(!isModerationType(type), type);
  }
});

test('a state is known by its word in any spelling, and an unknown word means nothing', () => {
  for (const [meaning, words] of Object.entries({
    queued: ['IN_QUEUE', 'queued', 'PENDING', 'THROTTLED', 'in queue', 'scheduled', 'submitted', 'starting'],
    running: ['IN_PROGRESS', 'running', 'processing', 'in-progress', 'CANCELLATION_REQUESTED', 'cancelling', 'started'],
    completed: ['COMPLETED', 'completed', 'COMPLETE', 'SUCCEEDED', 'success', 'done', 'OK', 'finished'],
    failed: [
      ...[
        'FAILED',
        'failed',
        'FAILURE',
        'ERROR',
        'CANCELLED',
        'canceled',
        'TIMEOUT',
        'TIMED_OUT',
        'timed out',
        'ABORTED',
      ],
      ...['REJECTED', 'EXPIRED', 'COMPLETED_WITH_ERRORS', 'MODERATED', 'NSFW', 'BLOCKED', 'unsuccessful', 'CRASHED'],
    ],
  })) {
    for (const word of words) assert.equal(meaningOf(word), meaning, word);
  }
  for (const word of ['DREAMING', '', null, undefined, 7]) assert.equal(meaningOf(word), null, String(word));
});
