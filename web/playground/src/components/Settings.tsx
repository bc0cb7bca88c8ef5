import type { Model } from '@rendio/client';
import { labelOf } from '../i18n/index.ts';
import { type Choice, type Setting, validChoices } from '../lib/settings.ts';
import { setChoice, settingsFor } from '../store/models.ts';
import { useMessages, useStore } from '../store/store.ts';
import { Segments, Slider, Switch } from './controls.tsx';
import { ErrorNote } from './ErrorNote.tsx';

/** One control for each setting of the model. */
export function Settings({ model }: { model: Model }) {
  const messages = useMessages();
  const stored = useStore((state) => state.choices[model.id]);
  const refusal = useStore((state) => state.refusal);
  const settings = settingsFor(model);
  const chosen = validChoices(settings, stored);
  return (
    <div className="settings">
      {settings.map((setting) => {
        const field = `settings.${setting.name}`;
        return (
          <div className={`setting ${setting.kind}`} key={`${model.id} ${setting.name}`}>
            <Control
              setting={setting}
              label={setting.title ?? labelOf(messages.settings, setting.name)}
              value={chosen[setting.name] ?? setting.initial}
              onChoose={(value) => setChoice(model.id, setting.name, value)}
            />
            <ErrorNote error={refusal?.field === field ? refusal.error : null} />
          </div>
        );
      })}
    </div>
  );
}

type ControlProps = { setting: Setting; label: string; value: Choice; onChoose: (value: Choice) => void };

function Control({ setting, label, value, onChoose }: ControlProps) {
  const messages = useMessages();
  const { name } = setting;
  const isDuration = name === 'duration';
  if (setting.kind === 'switch') {
    return <Switch id={`setting-${name}`} label={label} isOn={value === true} onChange={onChoose} />;
  }
  if (setting.kind === 'range') {
    const text = isDuration ? messages.seconds(Number(value)) : String(value);
    return (
      <Slider
        id={`setting-${name}`}
        label={label}
        text={text}
        value={Number(value)}
        minimum={setting.minimum}
        maximum={setting.maximum}
        step={setting.step}
        onChange={onChoose}
      />
    );
  }
  const options = setting.options.map((option) => ({
    value: option,
    text: isDuration ? messages.secondsShort(Number(option)) : String(option),
    ...(name === 'aspect_ratio' ? { shape: String(option) } : {}),
  }));
  return <Segments name={name} label={label} options={options} value={value} onChange={onChoose} />;
}
