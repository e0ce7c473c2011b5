// The page of a gateway: one for Linux and for chips, at the boat's port and at the administrator's.
import { batch, effect } from '@preact/signals';
import { render } from 'preact';
import { Frame } from './app/frame';
import { apps } from './parts/apps/apps';
import { box } from './parts/box/box';
import { bus } from './parts/bus/bus';
import { data } from './parts/data/data';
import { now } from './parts/now/now';
import { people } from './parts/people/people';
import { plugins } from './parts/plugins/plugins';
import { ask } from './server/http';
import { isSignedOut, login, type Machine, machine, token } from './server/session';
import { link } from './server/stream';
import { say, wordsOf } from './ui/act';
import { start as startStream } from './vessel/watch';

/** What the page has to know first. The head of the page asks for it already, without a token that only the script has. */
const MACHINE = token ? '/skiff/v1/machine?by=token' : '/skiff/v1/machine';
/** Milliseconds after which a gateway that did not answer is asked again. */
const AGAIN_MS = 2000;

/** Asks what the gateway has, and who we are, until it answers. */
async function know() {
  try {
    const known = await ask<Machine>('GET', MACHINE);
    batch(() => ([machine.value, login.value] = [known, known.login]));
  } catch (error) {
    say(wordsOf(error), true);
    if (!isSignedOut.peek()) setTimeout(() => void know(), AGAIN_MS);
  }
}

function start() {
  const root = document.getElementById('page');
  if (!root) return;
  // What the first value waits for goes out first.
  startStream();
  void know();
  render(<Frame parts={[now, data, apps, plugins, bus, people, box]} />, root);
  // A gateway that has started again may have another version, and may know us no more.
  let wasLost = false;
  effect(() => {
    if (link.value === 'lost') wasLost = true;
    else if (link.value === 'open' && wasLost) {
      wasLost = false;
      void know();
    }
  });
}

start();
