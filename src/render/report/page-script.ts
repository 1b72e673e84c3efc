/** The page's only script: search, filters, theme. Without it the page is still whole. Its hash stands in the policy. */
export const SCRIPT = `
(() => {
  const root = document.documentElement;
  const theme = document.querySelector('.theme');
  theme.hidden = false;
  theme.addEventListener('click', () => {
    const dark = root.dataset.theme ? root.dataset.theme === 'dark' : matchMedia('(prefers-color-scheme: dark)').matches;
    root.dataset.theme = dark ? 'light' : 'dark';
  });
  for (const form of document.querySelectorAll('.filters')) {
    form.hidden = false;
    const items = [...form.parentElement.querySelectorAll('.item')];
    const texts = items.map((item) => item.textContent.toLowerCase().replace(/\\s+/g, ' '));
    const output = form.querySelector('output');
    const apply = () => {
      const words = form.querySelector('input').value.toLowerCase().split(/\\s+/).filter(Boolean);
      const wanted = [...form.querySelectorAll('select')].filter((select) => select.value !== '');
      let shown = 0;
      items.forEach((item, index) => {
        const fits = words.every((word) => texts[index].includes(word)) &&
          wanted.every((select) => item.dataset[select.name] === select.value);
        item.hidden = !fits;
        if (fits) shown += 1;
      });
      output.textContent = shown === items.length ? items.length + ' shown' : shown + ' of ' + items.length + ' shown';
    };
    form.addEventListener('input', apply);
    form.addEventListener('submit', (event) => event.preventDefault());
    form.addEventListener('reset', () => setTimeout(apply));
    apply();
  }
  const reveal = () => {
    const id = decodeURIComponent(location.hash.slice(1));
    const item = id && document.getElementById(id);
    if (!item || !item.classList.contains('item')) return;
    if (item.hidden) item.closest('section').querySelector('.filters').reset();
    item.hidden = false;
    const details = item.querySelector('details');
    if (details) details.open = true;
    item.scrollIntoView({ block: 'start' });
  };
  addEventListener('hashchange', reveal);
  reveal();
})();
`;
