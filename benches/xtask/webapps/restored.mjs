// Says what the vessel is called after a restart.
//
// Arguments: the gateway's address, the file with its owner's token.
import { readFileSync } from 'node:fs';
import process from 'node:process';

const [boat, token] = process.argv.slice(2);
const answer = await fetch(`${boat.replace(/\/$/, '')}/skServer/vessel`, { headers: { authorization: `Bearer ${readFileSync(token, 'utf8').trim()}` } });
process.stdout.write(JSON.stringify({ app: 'restored', name: (await answer.json()).name }) + '\n');
