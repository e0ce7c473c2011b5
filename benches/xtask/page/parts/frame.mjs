// The frame: both doors, on a phone and a desk, dark and light; what each shows and does not show.
export async function walk({ boat, admin, visit, until, becomes, seriousFaults, assert, picture, did, PHONE, DESK }) {
  for (const [door, name, title] of [[boat, 'boat', 'Apps'], [admin, 'admin', 'Plugins']]) {
    for (const [size, on] of [[PHONE, 'phone'], [DESK, 'desk']]) {
      for (const scheme of ['light', 'dark']) {
        const { context, page, faults } = await visit({ door, size, scheme });
        await until('live', () => page.locator('.link.open').count());
        const shown = () => page.locator('.top nav a').allInnerTexts();
        await until('parts', async () => (await shown()).includes(title));
        const titles = await shown();
        assert(titles.includes('Now') && titles.includes('Data'), titles.join());
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
  // Colours: as the system has them, also when that changes, until somebody chooses.
  const colours = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const [light, dark, night] = ['rgb(244, 246, 248)', 'rgb(14, 22, 28)', 'rgb(0, 0, 0)'];
  await becomes('light', colours, light);
  await page.emulateMedia({ colorScheme: 'dark' });
  await becomes('dark with the evening', colours, dark);
  await page.selectOption('.visitor select', 'light');
  await becomes('light by choice', colours, light);
  await page.selectOption('.visitor select', 'night');
  await becomes('red on black', colours, night);
  await page.reload();
  await becomes('still', colours, night);
  await page.selectOption('.visitor select', 'system');
  await becomes('the system\'s again', colours, dark);
  await page.emulateMedia({ colorScheme: 'light' });
  await becomes('light in the morning', colours, light);
  did('frame', 'colours of the system, followed; chosen, kept, given back');
  await context.close();
}
