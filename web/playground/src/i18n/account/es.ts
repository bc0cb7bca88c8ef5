import { pluralIn } from '../plural.ts';
import type { AccountMessages } from './en.ts';

const n = pluralIn('es');
const credits = (count: number) => n(count, { one: '# crédito', other: '# créditos' });
const films = (count: number) => n(count, { one: '# vídeo', other: '# vídeos' });

export const account: AccountMessages = {
  account: 'Cuenta',
  guest: 'Invitado',
  guestHint: 'Esta cuenta solo existe en este navegador.',
  appleUser: 'Sesión iniciada con Apple',
  noEmail: 'Sin correo electrónico',
  signIn: 'Iniciar sesión con Apple',
  asking: 'Esperando la ventana de Apple…',
  mergingGuest: 'Pasando a tu cuenta de Apple…',
  mergeBrings: (count, videos) =>
    `Tus ${credits(count)}${videos > 0 ? ` y ${films(videos)}` : ''} pasan a tu cuenta de Apple. Si ya tienes una aquí, se suman a ella.`,
  merged: (count) => `Has iniciado sesión con Apple y tienes ${credits(count)}.`,
  appleProblems: {
    blocked: 'El navegador ha bloqueado la ventana de Apple. Permite las ventanas emergentes y vuelve a intentarlo.',
    closed: 'La ventana se cerró antes de iniciar sesión. No ha cambiado nada.',
    insecure: 'Iniciar sesión con Apple requiere una página segura: ábrela con https o como localhost.',
    failed: 'Apple no ha podido iniciar tu sesión. No ha cambiado nada.',
  },
  sessions: 'Dónde tienes la sesión iniciada',
  thisDevice: 'Este dispositivo',
  otherDevice: 'Otro dispositivo',
  lastSeen: (time) => `Visto por última vez: ${time}`,
  endSession: 'Cerrar',
  endSessionSeen: (time) => `Cerrar la sesión vista por última vez: ${time}`,
  sessionEnded: 'Esa sesión se ha cerrado.',
  endOthers: 'Cerrar las demás',
  othersEnded: 'Se han cerrado todas las demás sesiones.',
  yourData: 'Tus datos',
  exportHint: 'Perfil, vídeos, historial de créditos, imágenes subidas y sesiones, en un solo archivo JSON.',
  exportData: 'Descargar',
  exporting: 'Preparando…',
  exported: 'Tus datos se han descargado.',
  exportCut: 'La descarga se ha cortado. Vuelve a intentarlo.',
  signOut: 'Cerrar sesión',
  signOutEverywhere: 'Cerrar sesión en todas partes',
  deleteAccount: 'Eliminar la cuenta',
  deleteTitle: '¿Eliminar tu cuenta?',
  deleteLost: 'Se eliminará para siempre:',
  deleteImages: 'tus imágenes y descripciones',
  deleteSessions: 'tus sesiones en todos los dispositivos',
  deleteApple: 'el vínculo con tu cuenta de Apple',
  deleteAfter: 'Los vídeos en proceso se cancelan. Los créditos de bienvenida se dan una vez por dispositivo.',
  deleteConfirm: 'Entiendo que esto no se puede deshacer.',
  deleteYes: 'Eliminar para siempre',
  deleting: 'Eliminando…',
  signedOut: {
    signed_out: 'Has cerrado la sesión.',
    deleted: 'Tu cuenta se ha eliminado.',
    ended: 'Se ha cerrado tu sesión. Vuelve a iniciarla para ver tus vídeos.',
  },
  continueAsGuest: 'Continuar como invitado',
  noAccount: 'Primero inicia sesión o continúa como invitado.',
  films,
};
