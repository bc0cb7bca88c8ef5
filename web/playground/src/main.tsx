/** The playground: onboards a guest on the first visit, and makes videos from prompts. */
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import '../../shared/tokens.css';
import '../../shared/base.css';
import './styles/page.css';
import './styles/header.css';
import './styles/buttons.css';
import './styles/inputs.css';
import './styles/composer.css';
import './styles/models.css';
import './styles/image.css';
import './styles/stage.css';
import './styles/running.css';
import './styles/history.css';
import './styles/dialogs.css';
import './styles/account.css';
import './styles/shop.css';
import { App } from './components/App.tsx';
import { loadMessages } from './i18n/index.ts';
import { start } from './store/live.ts';
import { sendDeletionsOnLeave } from './store/removal.ts';
import { openAfterCheckout } from './store/shop.ts';
import { getState } from './store/store.ts';

const { language } = getState();
document.documentElement.lang = language;
await loadMessages(language);
const root = document.getElementById('root');
if (root) {
  createRoot(root).render(
    <StrictMode>
      <App />
    </StrictMode>,
  );
}
sendDeletionsOnLeave();
openAfterCheckout();
start();
