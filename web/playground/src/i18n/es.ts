import { account } from './account/es.ts';
import type { Messages } from './en.ts';
import { pluralIn } from './plural.ts';
import { shop } from './shop/es.ts';

const n = pluralIn('es');
const credits = (count: number) => n(count, { one: '# crédito', other: '# créditos' });

export const es: Messages = {
  skip: 'Ir al formulario',
  reference: 'Referencia de la API',
  language: 'Idioma',
  theme: 'Tema',
  themes: { light: 'Claro', dark: 'Oscuro', system: 'Sistema' },
  close: 'Cerrar',

  ask: '¿Qué debe mostrar el vídeo?',
  placeholder: 'Un barco de papel a la deriva por una calle lluviosa al anochecer',
  askAboutImage: '¿Qué debe pasar en la imagen?',
  imagePlaceholder: 'El barco se desliza despacio hacia las luces',
  motions: [
    { label: 'Acercarse', prompt: 'La cámara se acerca despacio' },
    { label: 'Una brisa', prompt: 'Una brisa ligera mueve el pelo, las hojas y la ropa' },
    { label: 'Una sonrisa', prompt: 'Levanta la mirada hacia la cámara y sonríe' },
    { label: 'Nieve', prompt: 'Empieza a nevar con copos grandes y lentos' },
    { label: 'Dar la vuelta', prompt: 'La cámara gira despacio hacia la izquierda' },
    { label: 'Anochecer', prompt: 'Anochece y se encienden las luces' },
  ],
  ideasLabel: 'O empieza con una idea',
  moreIdeas: 'Otras ideas',
  ideas: [
    {
      label: 'Un gato al piano',
      prompt: 'Un gato al piano a la luz de las velas, la cámara se acerca despacio a sus patas',
    },
    { label: 'Un mar de nubes', prompt: 'Un mar de nubes al amanecer, visto desde un pequeño dirigible rojo' },
    { label: 'Farolillos', prompt: 'Farolillos de papel se elevan de noche sobre un lago en calma' },
    {
      label: 'Lluvia en la ciudad',
      prompt: 'Letreros de neón reflejados en los charcos, paraguas que pasan bajo la lluvia',
    },
    {
      label: 'Un jardinero diminuto',
      prompt: 'Un jardinero diminuto riega un helecho en el alféizar, luz de la mañana',
    },
    { label: 'El último tranvía', prompt: 'El último tranvía de la noche se desliza entre la nieve que cae' },
  ],
  counter: (length, max) => `${length.toLocaleString('es')} de ${max.toLocaleString('es')} caracteres`,

  model: 'Modelo',
  allModels: (count) => `Mostrar los ${count} modelos`,
  categories: {
    sandbox: 'Pruebas',
    cinematic: 'Cine',
    creative: 'Creativo',
    'image-to-video': 'Desde una imagen',
  },
  descriptions: {
    'A real video of your prompt, rendered on this machine. Needs no vendor account; good for testing.':
      'Un vídeo de verdad con tu texto, creado en esta máquina. Sin servicios externos, para probarlo todo.',
    'Cinematic scenes with realistic light and motion. Our highest video quality.':
      'Escenas de cine con luz y movimiento realistas. Nuestra mejor calidad de vídeo.',
    'The cinematic look at half the price and in less time. Good for trying out ideas.':
      'El aspecto de cine a mitad de precio y en menos tiempo. Ideal para probar ideas.',
    'Brings your image to life.': 'Da vida a tu imagen.',
    'Lively motion and camera moves.': 'Movimiento vivo y juego de cámara.',
    'Playful, stylised clips in many aspect ratios.': 'Clips divertidos y estilizados en muchos formatos.',
    'Precise control: follows your description of a shot closely.':
      'Control preciso: sigue de cerca tu descripción del plano.',
    'Animates your image quickly and at a low price.': 'Anima tu imagen rápido y a bajo precio.',
    // The descriptions before they were reworded: databases that were created earlier still have them.
    'A real video of your prompt, rendered on this machine. Free of vendors, for trying things out.':
      'Un vídeo de verdad con tu texto, creado en esta máquina. Sin servicios externos, para probarlo todo.',
    'Film-like scenes with convincing light and motion. The best picture on offer.':
      'Escenas de cine con luz y movimiento convincentes. La mejor imagen disponible.',
    'The film look at half the price, in less time. Good for trying ideas.':
      'El aspecto de cine a mitad de precio y en menos tiempo. Ideal para probar ideas.',
    'Brings your picture to life.': 'Da vida a tu imagen.',
    'Playful, stylised clips in many shapes.': 'Clips divertidos y estilizados en muchos formatos.',
    'Precise direction: follows a described shot closely.': 'Dirección precisa: sigue de cerca el plano descrito.',
    'Animates your picture quickly and cheaply.': 'Anima tu imagen rápido y por poco.',
  },
  featured: 'Destacado',
  simulated: 'Simulado',
  simulatedWhy:
    'Este modelo es simulado: no se llama a ningún servicio externo y recibes un vídeo de muestra en lugar de tu escena. Para crear vídeos reales, añade la clave de API del servicio al servidor.',
  simulatedVideo: 'Es un vídeo de muestra: no se llamó a ningún servicio externo.',
  fast: 'Rápido',
  needsImage: 'Necesita una imagen',
  perVideo: (count) => `${credits(count)} por vídeo`,
  perSeconds: (count, seconds) =>
    seconds === 1 ? `${credits(count)} por segundo` : `${credits(count)} cada ${seconds} segundos`,

  image: 'Imagen',
  imageChoose: 'Elige una imagen',
  imageHint: 'o suéltala o pégala aquí',
  imageHintTouch: 'de tus fotos o de tu cámara',
  imageDrop: 'Suéltala aquí',
  imageReplace: 'Elegir otra',
  imageRemove: 'Quitar la imagen',
  imageSending: 'Subiendo la imagen',
  imageUploaded: 'Imagen subida.',
  imageMissing: 'Elige una imagen para animar.',
  imageCropped: 'El vídeo mostrará esta parte de la imagen.',
  imageCopy: (width, height) => `Se envía una copia de ${width} × ${height} píxeles.`,
  imageProblems: {
    notImage: () => 'Ese archivo no es una imagen que este navegador pueda abrir. No se ha enviado nada.',
    tooLarge: () => 'Esa imagen es demasiado grande para que este navegador la reduzca. No se ha enviado nada.',
    tooSmall: (min) =>
      `Esa imagen es demasiado pequeña: cada lado necesita al menos ${min} píxeles. No se ha enviado nada.`,
    oddShape: () => 'Esa imagen es demasiado larga y estrecha para un vídeo. No se ha enviado nada.',
  },

  settings: {
    duration: 'Duración',
    aspect_ratio: 'Relación de aspecto',
    resolution: 'Resolución',
    fps: 'Fotogramas por segundo',
    audio: 'Sonido',
  },
  seconds: (count) => n(count, { one: '# segundo', other: '# segundos' }),
  secondsShort: (count) => `${count} s`,

  generate: 'Crear vídeo',
  uploading: 'Subiendo la imagen…',
  sending: 'Enviando…',
  waiting: 'Esperando conexión…',
  credits,
  tooShort: (min) => `Describe tu vídeo con al menos ${min} caracteres.`,
  tooLong: (over, max) =>
    n(over, {
      one: `El máximo son ${max.toLocaleString('es')} caracteres; sobra #.`,
      other: `El máximo son ${max.toLocaleString('es')} caracteres; sobran #.`,
    }),
  tooExpensive: (need, have) => `Cuesta ${credits(need)}, pero solo tienes ${have}.`,
  noCredits: 'No te quedan créditos.',
  noModels: 'No hay ningún modelo disponible en este servidor.',
  noConnection: 'Ahora mismo no hay conexión.',
  newGuest: 'Empezar de nuevo como otro invitado',
  newGuestTitle: '¿Empezar de nuevo como otro invitado?',
  newGuestText:
    'Recibirás nuevos créditos de bienvenida. Este navegador olvidará tus vídeos y los créditos que te queden.',
  newGuestYes: 'Empezar de nuevo',
  keep: 'Conservarlo todo',

  stage: 'Vídeo',
  empty: 'Tu vídeo se verá aquí',
  emptyHint: 'Describe una escena o elige una idea y después pulsa el botón.',
  emptyHintImage: 'Elige una imagen, cuenta qué debe pasar en ella y después pulsa el botón.',
  queued: 'Esperando en la cola',
  inQueue: (position) => `Número ${position} en la cola`,
  setting: 'Preparando la escena',
  making: 'Creando tu vídeo',
  finishing: 'Últimos retoques',
  elapsed: 'transcurridos',
  done: 'Tu vídeo está listo.',
  failedTitle: 'Esta vez no ha podido ser',
  cancelledTitle: 'Cancelado',
  failedPlain: 'No se pudo crear este vídeo. Sus créditos han vuelto a tu saldo.',
  cancel: 'Cancelar',
  cancelling: 'Cancelando…',
  makeChanges: 'Hacer cambios',
  download: 'Descargar',
  tryAgain: 'Reintentar',

  history: 'Tus vídeos',
  more: 'Mostrar más',
  remove: 'Eliminar',
  removed: (count) => n(count, { one: 'Vídeo eliminado', other: '# vídeos eliminados' }),
  undo: 'Deshacer',
  statuses: { pending: 'En espera', processing: 'En proceso', completed: 'Listo', failed: 'Fallido' },

  balance: (count) => n(count, { one: 'Queda # crédito', other: 'Quedan # créditos' }),
  balanceOpen: 'Mostrar el historial de créditos',
  ledger: 'Historial de créditos',
  ledgerEmpty: 'Todavía no hay movimientos.',
  balanceAfter: (count) => n(count, { one: 'queda #', other: 'quedan #' }),
  showVideo: 'Mostrar el vídeo',
  videoGone: 'Ese vídeo se ha eliminado.',
  reasons: {
    initial_grant: 'Créditos de bienvenida',
    video_generation: 'Vídeo',
    generation_failed_refund: 'Reembolso de un vídeo',
    iap_purchase: 'Compra',
    apple_refund: 'Compra reembolsada por la App Store',
    apple_refund_reversed: 'Reembolso de la App Store anulado',
    admin_refund: 'Reembolso de soporte',
    admin_adjustment: 'Ajuste',
    account_merge: 'De tu cuenta de invitado',
    promo_grant: 'Regalo',
    code_redeemed: 'Código',
    credits_expired: 'Créditos caducados',
    store_refund: 'Compra reembolsada',
    store_refund_reversed: 'Reembolso de una compra anulado',
  },

  // The account
  ...account,

  ...shop,

  connectionLost:
    'Se ha perdido la conexión. Los vídeos en proceso continuarán y esta página se actualizará cuando vuelvas a estar en línea.',
  offline: 'Estás sin conexión. Revisa tu red; esta página se actualizará cuando vuelvas a estar en línea.',
  unexpected: 'El servidor ha enviado una respuesta inesperada.',
  errorReference: 'Referencia',
  copy: 'Copiar la referencia',
  copied: 'Copiado',
  retry: 'Reintentar',
  brokenVideo: 'No se ha podido cargar el vídeo.',
};
