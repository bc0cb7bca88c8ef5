/** Controls for what a model lets people choose, drawn from its settings schema. */
import { make } from './dom.js';
import { label, t } from './strings.js';

/** What matters most comes first; JSON keeps no order. */
const ORDER = ['duration', 'aspect_ratio', 'resolution', 'fps', 'audio'];

/**
 * Draws one control for each setting. `chosen` holds the values by name and is kept up to date.
 * @param {Record<string, Setting>} settings
 */
export function drawSettings(root, settings, chosen, onChange) {
  const rank = (name) => ORDER.indexOf(name) + 1 || ORDER.length + 1;
  const sorted = Object.entries(settings).sort(([one], [other]) => rank(one) - rank(other));
  root.replaceChildren();
  for (const [name, setting] of sorted) {
    if (!admits(setting, chosen[name])) chosen[name] = setting.default;
    const draw = setting.enum ? buttons : setting.type === 'boolean' ? tick : slider;
    if (draw === slider && setting.maximum === undefined) continue;
    const control = draw(name, setting, chosen[name], (value) => {
      chosen[name] = value;
      onChange();
    });
    control.dataset.field = `settings.${name}`;
    control.append(make('div', { className: 'error', hidden: true, role: 'alert' }));
    root.append(control);
  }
}

/** @param {Setting} setting */
function admits({ type, enum: options, minimum = -Infinity, maximum = Infinity }, value) {
  if (options) return options.includes(value);
  return type === 'integer' ? Number.isInteger(value) && value >= minimum && value <= maximum : typeof value === type;
}

function buttons(name, setting, value, choose) {
  const items = setting.enum.map((option) => {
    const input = make('input', { type: 'radio', name, value: option, checked: option === value });
    input.onchange = () => choose(option);
    const text = name === 'duration' ? `${option} s` : String(option);
    return make('label', {}, input, make('span', {}, ...shape(name, option), text));
  });
  const legend = make('legend', {}, setting.title ?? label(name));
  return make('fieldset', {}, legend, make('div', { className: 'options' }, ...items));
}

function slider(name, setting, value, choose) {
  const { minimum: min, maximum: max } = setting;
  const input = make('input', { type: 'range', id: `setting-${name}`, min, max, value });
  const output = make('output', { htmlFor: input.id });
  const tell = () => {
    output.textContent = name === 'duration' ? t('seconds', Number(input.value)) : input.value;
    input.ariaValueText = output.textContent;
  };
  tell();
  input.oninput = () => {
    tell();
    choose(Number(input.value));
  };
  const heading = make('label', { htmlFor: input.id }, setting.title ?? label(name));
  return make('div', { className: 'field' }, make('span', { className: 'line' }, heading, output), input);
}

function tick(name, setting, checked, choose) {
  const input = make('input', { type: 'checkbox', checked });
  input.onchange = () => choose(input.checked);
  return make('div', { className: 'field' }, make('label', {}, input, ' ', setting.title ?? label(name)));
}

/** A small picture of an aspect ratio. */
function shape(name, value) {
  if (name !== 'aspect_ratio') return [];
  const [width, height] = value.split(':').map(Number);
  const icon = make('i', { className: 'shape' });
  icon.style.aspectRatio = `${width} / ${height}`;
  icon.style[width > height ? 'width' : 'height'] = '1em';
  return [icon];
}
