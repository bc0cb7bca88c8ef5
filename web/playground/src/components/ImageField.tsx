import type { Model } from '@rendio/client';
import { type ChangeEvent, useEffect, useRef } from 'react';
import { ratioOf, SIDE_MIN } from '../lib/image.ts';
import { choosePicture, removePicture, retryUpload } from '../store/image.ts';
import { choicesFor } from '../store/models.ts';
import type { Picture } from '../store/state.ts';
import { getState, update, useStore, useWords } from '../store/store.ts';
import { ErrorNote } from './ErrorNote.tsx';
import { Icon } from './Icon.tsx';

/** Parts of a picture that are narrower than this are not worth a word. */
const CROP_MIN = 1.04;

/** Where the picture comes from and how it will be seen, for models that animate one. */
export function PictureField({ model }: { model: Model }) {
  const words = useWords();
  const picture = useStore((state) => state.picture);
  const problem = useStore((state) => state.pictureProblem);
  const isDragging = useStore((state) => state.isDragging);
  const refusal = useStore((state) => (state.refusal?.field === 'image_url' ? state.refusal.error : null));
  const error = picture?.error ?? refusal;
  const onChange = ({ target }: ChangeEvent<HTMLInputElement>) => {
    const file = target.files?.[0];
    if (file) choosePicture(file, file.name);
    // The same file can be chosen again.
    target.value = '';
  };
  const place = useRef<HTMLDivElement>(null);
  // Chosen further down, the model brings this along up here.
  useEffect(() => {
    place.current?.scrollIntoView({ block: 'nearest' });
  }, []);
  return (
    <div className="field picture" data-dragging={isDragging} ref={place}>
      <span className="unseen" id="picture-label">
        {words.picture}
      </span>
      <div className="picture-box">
        <input
          type="file"
          id="picture"
          className="unseen"
          accept="image/*"
          aria-labelledby="picture-label picture-call"
          aria-describedby="picture-about picture-error picture-refused"
          aria-invalid={problem !== null || error !== null}
          onChange={onChange}
        />
        {picture ? <Chosen picture={picture} model={model} /> : <Empty isDragging={isDragging} />}
      </div>
      <p className="error" id="picture-error" role="alert" hidden={!problem}>
        {problem ? words.pictureProblems[problem](SIDE_MIN) : ''}
      </p>
      <ErrorNote id="picture-refused" error={error} />
      {picture?.error ? (
        <button type="button" className="quiet" onClick={retryUpload}>
          {words.retry}
        </button>
      ) : null}
    </div>
  );
}

/** A finger neither drops nor pastes. */
const isTouch = () => matchMedia('(pointer: coarse)').matches;

function Empty({ isDragging }: { isDragging: boolean }) {
  const words = useWords();
  return (
    <label className="drop" htmlFor="picture">
      <Icon name="picture" />
      <span className="drop-words">
        <strong id="picture-call">{isDragging ? words.pictureDrop : words.pictureChoose}</strong>
        <span id="picture-about">{isTouch() ? words.pictureHintTouch : words.pictureHint}</span>
      </span>
    </label>
  );
}

function Chosen({ picture, model }: { picture: Picture; model: Model }) {
  const words = useWords();
  const shape = useStore((state) => {
    const ratio = choicesFor(state, model).aspect_ratio;
    return typeof ratio === 'string' ? ratio : undefined;
  });
  const { width = 16, height = 9, preview } = picture;
  const ratio = shape ? ratioOf(shape) : width / height;
  const isCropped = picture.isReady && Math.abs(Math.log(ratio / (width / height))) > Math.log(CROP_MIN);
  const isSending = picture.isReady && !picture.path && !picture.error;
  const notes = [
    isSending ? `${words.uploading} ${Math.floor(picture.share * 100)} %` : '',
    isCropped ? words.pictureCropped : '',
    picture.isCopy ? words.pictureCopy(width, height) : '',
  ];
  const remove = () => {
    removePicture();
    document.getElementById('picture')?.focus();
  };
  return (
    <div className="chosen">
      <div className="frame" style={{ aspectRatio: String(ratio), inlineSize: `calc(var(--frame) * ${ratio})` }}>
        {preview ? <Preview canvas={preview} label={picture.name || words.picture} /> : <span className="skeleton" />}
        <Progress picture={picture} />
        <button
          type="button"
          className="icon-button"
          id="picture-remove"
          aria-label={words.pictureRemove}
          onClick={remove}
        >
          <Icon name="close" />
        </button>
      </div>
      <p className="picture-about">
        <label className="button" htmlFor="picture" id="picture-call">
          {words.pictureReplace}
        </label>
        <span id="picture-about">{notes.filter(Boolean).join(' ')}</span>
      </p>
    </div>
  );
}

function Preview({ canvas, label }: { canvas: HTMLCanvasElement; label: string }) {
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => {
    place.current?.replaceChildren(canvas);
  }, [canvas]);
  return <div className="preview" ref={place} role="img" aria-label={label} />;
}

function Progress({ picture: { path, share, error } }: { picture: Picture }) {
  const words = useWords();
  if (path || error) return null;
  return <progress aria-label={words.pictureSending} value={share} max={1} />;
}

/** A picture dropped or pasted anywhere on the page is the one to animate; no file takes the page's place. */
export function usePictureDrop(): void {
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
      choosePicture(file, file.name);
    });
    on('paste', ({ clipboardData }) => {
      const file = clipboardData?.files[0];
      // Text that comes with its picture, as from a word processor, is text.
      if (file?.type.startsWith('image/') && !clipboardData?.types.includes('text/plain'))
        choosePicture(file, file.name);
    });
    return () => leaving.abort();
  }, []);
}
