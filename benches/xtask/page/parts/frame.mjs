// The frame: both doors, on a phone and a desk, dark and light; what each shows and does not show.
export async function walk({ boat, admin, visit, until, seriousFaults, assert, picture, did, PHONE, DESK }) {
  for (const [door, name, title] of [[boat, 'boat', 'Apps'], [admin, 'admin', 'Plugins']]) {
    for (const [size, on] of [[PHONE, 'phone'], [DESK, 'desk']]) {
      for (const scheme of ['light', 'dark']) {
        const { context, page, faults } = await visit({ door, size, scheme });
        await until('live', () => page.locator('.link.open').count());
        const titles = await page.locator('.top nav a').allInnerTexts();
        assert(titles.includes('Now') && titles.includes('Data') && titles.includes(title), titles.join());
        assert.equal(titles.includes('People'), door === admin, 'nobody administrates at the boat\'s door');
        const [wide, view] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
        assert(wide <= view, `wider than the screen: ${wide} of ${view}`);
        assert.deepEqual(await seriousFaults(page), []);
        assert.deepEqual(faults, []);
        await picture(page, `frame-${name}-${on}-${scheme}`);
        did('frame', `${name} on a ${on}, ${scheme}`, { titles });
        await context.close();
      }
    }
  }
  const { context, page } = await visit({ door: boat, user: null });
  // On loopback a visitor reads without an account; nothing asks him for one.
  await until('live', () => page.locator('.link.open').count());
  did('frame', 'a visitor on loopback reads');
  await context.close();
}
