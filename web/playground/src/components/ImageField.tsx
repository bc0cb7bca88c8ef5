import type { Model } from '@rendio/client';
import { type ChangeEvent, useEffect, useRef } from 'react';
import { ratioOf, SIDE_MIN } from '../lib/image.ts';
import { chooseImage, removeImage, retryUpload } from '../store/image.ts';
import { choicesFor } from '../store/models.ts';
import type { ChosenImage } from '../store/state.ts';
import { getState, update, useMessages, useStore } from '../store/store.ts';
import { ErrorNote } from './ErrorNote.tsx';
import { Icon } from './Icon.tsx';

/** A crop is mentioned only when the aspect ratios differ by at least this factor. */
const CROP_MIN = 1.04;

/** The field for the image of an image-to-video model, with a preview cropped as the video will be. */
export function ImageField({ model }: { model: Model }) {
  const messages = useMessages();
  const image = useStore((state) => state.image);
  const problem = useStore((state) => state.imageProblem);
  const isDragging = useStore((state) => state.isDragging);
  const refusal = useStore((state) => (state.refusal?.field === 'image_url' ? state.refusal.error : null));
  const error = image?.error ?? refusal;
  const onChange = ({ target }: ChangeEvent<HTMLInputElement>) => {
    const file = target.files?.[0];
    if (file) chooseImage(file, file.name);
    // Lets the user choose the same file again.
    target.value = '';
  };
  const field = useRef<HTMLDivElement>(null);
  // The field appears when a model further down the page is selected: scroll to it.
  useEffect(() => {
    field.current?.scrollIntoView({ block: 'nearest' });
  }, []);
  return (
    <div className="field image" data-dragging={isDragging} ref={field}>
      <span className="visually-hidden" id="image-label">
        {messages.image}
      </span>
      <div className="image-box">
        <input
          type="file"
          id="image"
          className="visually-hidden"
          accept="image/*"
          aria-labelledby="image-label image-action"
          aria-describedby="image-hint image-error image-refused"
          aria-invalid={problem !== null || error !== null}
          onChange={onChange}
        />
        {image ? <Chosen image={image} model={model} /> : <Empty isDragging={isDragging} />}
      </div>
      <p className="error" id="image-error" role="alert" hidden={!problem}>
        {problem ? messages.imageProblems[problem](SIDE_MIN) : ''}
      </p>
      <ErrorNote id="image-refused" error={error} />
      {image?.error ? (
        <button type="button" className="quiet" onClick={retryUpload}>
          {messages.retry}
        </button>
      ) : null}
    </div>
  );
}

/** On a touch screen the user can neither drop nor paste a file. */
const isTouch = () => matchMedia('(pointer: coarse)').matches;

function Empty({ isDragging }: { isDragging: boolean }) {
  const messages = useMessages();
  return (
    <label className="drop" htmlFor="image">
      <Icon name="image" />
      <span className="drop-text">
        <strong id="image-action">{isDragging ? messages.imageDrop : messages.imageChoose}</strong>
        <span id="image-hint">{isTouch() ? messages.imageHintTouch : messages.imageHint}</span>
      </span>
    </label>
  );
}

function Chosen({ image, model }: { image: ChosenImage; model: Model }) {
  const messages = useMessages();
  const shape = useStore((state) => {
    const ratio = choicesFor(state, model).aspect_ratio;
    return typeof ratio === 'string' ? ratio : undefined;
  });
  const { width = 16, height = 9, preview } = image;
  const ratio = shape ? ratioOf(shape) : width / height;
  const isCropped = image.isReady && Math.abs(Math.log(ratio / (width / height))) > Math.log(CROP_MIN);
  const isSending = image.isReady && !image.path && !image.error;
  const notes = [
    isSending ? `${messages.uploading} ${Math.floor(image.uploadedShare * 100)} %` : '',
    isCropped ? messages.imageCropped : '',
    image.isCopy ? messages.imageCopy(width, height) : '',
  ];
  const remove = () => {
    removeImage();
    document.getElementById('image')?.focus();
  };
  return (
    <div className="chosen">
      <div className="frame" style={{ aspectRatio: String(ratio), inlineSize: `calc(var(--frame) * ${ratio})` }}>
        {preview ? <Preview canvas={preview} label={image.name || messages.image} /> : <span className="skeleton" />}
        <Progress image={image} />
        <button
          type="button"
          className="icon-button"
          id="image-remove"
          aria-label={messages.imageRemove}
          onClick={remove}
        >
          <Icon name="close" />
        </button>
      </div>
      <p className="image-notes">
        <label className="button" htmlFor="image" id="image-action">
          {messages.imageReplace}
        </label>
        <span id="image-hint">{notes.filter(Boolean).join(' ')}</span>
      </p>
    </div>
  );
}

function Preview({ canvas, label }: { canvas: HTMLCanvasElement; label: string }) {
  const container = useRef<HTMLDivElement>(null);
  useEffect(() => {
    container.current?.replaceChildren(canvas);
  }, [canvas]);
  return <div className="preview" ref={container} role="img" aria-label={label} />;
}

function Progress({ image: { path, uploadedShare, error } }: { image: ChosenImage }) {
  const messages = useMessages();
  if (path || error) return null;
  return <progress aria-label={messages.imageSending} value={uploadedShare} max={1} />;
}

/** Uses an image that is dropped or pasted anywhere on the page. A dropped file never replaces the page. */
export function useImageDrop(): void {
  useEffect(() => {
    const leaving = new AbortController();
    const on = <Type extends 'dragover' | 'dragleave' | 'drop' | 'paste'>(
      type: Type,
      act: (event: DocumentEventMap[Type]) => void,
    ) => document.addEventListener(type, act, { signal: leaving.signal });
    on('dragover', (event) => {
      if (!event.dataTransfer?.types.includes('Files')) return;
      event.preventDefault();
      if (!getState().isDragging) update({ isDragging: true });
    });
    on('dragleave', ({ relatedTarget }) => {
      if (!relatedTarget) update({ isDragging: false });
    });
    on('drop', (event) => {
      update({ isDragging: false });
      const file = event.dataTransfer?.files[0];
      if (!file) return;
      event.preventDefault();
      chooseImage(file, file.name);
    });
    on('paste', ({ clipboardData }) => {
      const file = clipboardData?.files[0];
      // Text that is pasted with an image of itself, as from a word processor, is text.
      if (file?.type.startsWith('image/') && !clipboardData?.types.includes('text/plain')) chooseImage(file, file.name);
    });
    return () => leaving.abort();
  }, []);
}
