// The page of a gateway: one for Linux and for chips, at the boat's port and at the administrator's.
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
import { login, type LoginStatus, type Machine, machine } from './server/session';
import { say, wordsOf } from './ui/act';
import { start as startStream } from './vessel/watch';

async function start() {
  const root = document.getElementById('page');
  if (!root) return;
  render(<Frame parts={[now, data, apps, plugins, bus, people, box]} />, root);
  startStream();
  // What the gateway has, and who we are; tried again until it answers.
  try {
    [machine.value, login.value] = await Promise.all([
      ask<Machine>('GET', '/skiff/v1/machine'),
      ask<LoginStatus>('GET', '/skServer/loginStatus'),
    ]);
  } catch (error) {
    say(wordsOf(error), true);
  }
}

void start();
