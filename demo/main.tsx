import { render } from 'preact';
import './style/tokens.css';
import './style/base.css';
import './style/layout.css';
import './style/stage.css';
import './style/predictions.css';
import './style/panels.css';
import { Service } from './link/service.js';
import { App } from './components/app.js';
import { PageContext } from './components/context.js';
import { View } from './state/view.js';

const service = new Service();
const view = new View();
const root = document.getElementById('app');
if (root) {
  render(
    <PageContext.Provider value={{ service, view }}>
      <App />
    </PageContext.Provider>,
    root,
  );
  service.start();
}
