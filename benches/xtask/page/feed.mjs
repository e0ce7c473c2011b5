// An instrument of a test: deltas that a signed-in person's browser sends, as an app does. It says what it is told, each
// half second anew, until it is stopped. A person has eight sign-ins, and the ninth ends the first, an instrument's say: in a
// part of the walk who only looks does not sign in.
export async function feed(visit, door, user) {
  const { context, page } = await visit({ door, ...(user && { user }) });
  await page.evaluate(() => {
    const told = new Map();
    const socket = new WebSocket(`ws://${location.host}/signalk/v1/stream?subscribe=none`);
    const tell = () => {
      if (socket.readyState !== WebSocket.OPEN) return;
      for (const [of, values] of told) {
        for (let from = 0; from < values.length; from += 100) {
          socket.send(JSON.stringify({ context: of, updates: [{ values: values.slice(from, from + 100) }] }));
        }
      }
    };
    setInterval(tell, 500);
    window.feed = (of, values) => {
      told.delete(of);
      if (values.length > 0) told.set(of, values);
      tell();
    };
  });
  return {
    /** Says values of a context from now on, `{path: value}`; none ends them. */
    say: (values, of = 'vessels.self') =>
      page.evaluate(([name, rows]) => window.feed(name, rows), [of, Object.entries(values).map(([path, value]) => ({ path, value }))]),
    end: () => context.close(),
  };
}

/** Asks the gateway in a visitor's name, from his page: status and JSON. */
export function asking(page) {
  return (method, path, body) => page.evaluate(async ([how, where, what]) => {
    const answer = await fetch(where, { method: how, ...(what !== undefined && { body: JSON.stringify(what), headers: { 'content-type': 'application/json' } }) });
    const text = await answer.text();
    try {
      return { status: answer.status, body: JSON.parse(text) };
    } catch {
      return { status: answer.status, body: text };
    }
  }, [method, path, body]);
}
