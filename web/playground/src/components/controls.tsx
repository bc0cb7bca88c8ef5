/** Form controls. */
import type { CSSProperties } from 'react';

type Option = { value: string | number; text: string; shape?: string };
type SegmentsProps = {
  name: string;
  label: string;
  options: Option[];
  value: unknown;
  onChange: (value: string | number) => void;
};

/** A group of options side by side, one of which is selected. */
export function Segments({ name, label, options, value, onChange }: SegmentsProps) {
  return (
    <fieldset>
      <legend>{label}</legend>
      <div className="segments">
        {options.map((option) => (
          <label key={option.value}>
            <input
              type="radio"
              name={name}
              value={option.value}
              checked={option.value === value}
              onChange={() => onChange(option.value)}
            />
            <span>
              {option.shape ? <Shape ratio={option.shape} /> : null}
              {option.text}
            </span>
          </label>
        ))}
      </div>
    </fieldset>
  );
}

/** A small rectangle that shows an aspect ratio. */
function Shape({ ratio }: { ratio: string }) {
  const [width = 1, height = 1] = ratio.split(':').map(Number);
  const longer = Math.max(width, height);
  const style = { inlineSize: `${width / longer}em`, blockSize: `${height / longer}em` };
  return <i className="shape" style={style} aria-hidden="true" />;
}

type SliderProps = {
  id: string;
  label: string;
  text: string;
  value: number;
  minimum: number;
  maximum: number;
  step: number;
  onChange: (value: number) => void;
};

/** A slider with its value beside the label. */
export function Slider({ id, label, text, value, minimum, maximum, step, onChange }: SliderProps) {
  const fill: CSSProperties & Record<'--fill', string> = {
    '--fill': `${((value - minimum) / Math.max(1, maximum - minimum)) * 100}%`,
  };
  return (
    <>
      <span className="line">
        <label htmlFor={id}>{label}</label>
        <output htmlFor={id}>{text}</output>
      </span>
      <input
        type="range"
        id={id}
        min={minimum}
        max={maximum}
        step={step}
        value={value}
        aria-valuetext={text}
        style={fill}
        onChange={({ target }) => onChange(target.valueAsNumber)}
      />
    </>
  );
}

type SwitchProps = { id: string; label: string; isOn: boolean; onChange: (isOn: boolean) => void };

export function Switch({ id, label, isOn, onChange }: SwitchProps) {
  return (
    <label className="toggle" htmlFor={id}>
      <span>{label}</span>
      <input
        type="checkbox"
        role="switch"
        id={id}
        checked={isOn}
        aria-checked={isOn}
        onChange={({ target }) => onChange(target.checked)}
      />
    </label>
  );
}
