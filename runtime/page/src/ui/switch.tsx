// A switch of something that the gateway keeps.
import { useSignal } from '@preact/signals';
import { say, wordsOf } from './act';

interface SwitchProps {
  readonly label: string;
  readonly isOn: boolean;
  /** Has it kept, and asks what holds then. */
  readonly turn: (isOn: boolean) => Promise<unknown>;
  readonly hint?: string;
}

/** Shows at once what was wanted, and what holds again where it is refused; a press while it waits does nothing. */
export function Switch({ label, isOn, turn, hint }: SwitchProps) {
  const wanted = useSignal<boolean | null>(null);
  const press = async (box: HTMLInputElement) => {
    wanted.value = box.checked;
    try {
      await turn(box.checked);
    } catch (error) {
      say(wordsOf(error), true);
      box.checked = isOn;
    }
    wanted.value = null;
  };
  const isBusy = wanted.value !== null;
  return (
    <div class="switch">
      <label class="row">
        <input
          type="checkbox" checked={wanted.value ?? isOn} aria-busy={isBusy} aria-disabled={isBusy}
          onClick={(event) => isBusy && event.preventDefault()} onChange={({ currentTarget }) => void press(currentTarget)}
        />
        {label}
      </label>
      {hint && <p class="hint">{hint}</p>}
    </div>
  );
}
