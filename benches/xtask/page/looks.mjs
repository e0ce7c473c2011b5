// How a page looks, wherever that is judged: nothing serious found by axe, not wider than the screen, a picture of it.

export async function fair({ assert, seriousFaults, picture }, page, name) {
  assert.deepEqual(await seriousFaults(page), []);
  const [wide, view] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
  assert(wide <= view, `${name} is wider than the screen: ${wide} of ${view}`);
  await picture(page, name);
}

// The same on a phone: light, dark and at night. `ready` waits for what the part has to say.
export async function fairOnPhones(world, { door, at, name, ready }) {
  for (const [scheme, theme] of [['light', ''], ['dark', ''], ['dark', 'night']]) {
    const { context, page, faults } = await world.visit({ door, size: world.PHONE, scheme, at });
    if (theme) await page.selectOption('.visitor select', theme);
    await ready(page);
    await fair(world, page, `${name}-phone-${theme || scheme}`);
    // Only the bus asks for what a gateway may not have.
    world.assert.deepEqual(faults.filter((fault) => !/404/.test(fault)), []);
    await context.close();
  }
}
