import type { Sentences } from './sentences.ts';

/** The messages for users in Spanish, addressing them as “tú”. */
export const es: Sentences = {
  ERR_4001: {
    plain: 'No tienes suficientes créditos. Compra más para continuar.',
    detailed:
      'Necesitas {required, plural, one {# crédito} other {# créditos}}, pero solo tienes {available, number}. Compra más para continuar.',
    debt: 'Necesitas {required, plural, one {# crédito} other {# créditos}}, pero el reembolso de una compra ha dejado tu saldo en {available, number}. Compra más para continuar.',
  },
  ERR_4002: {
    plain: 'Este modelo no está disponible. Elige otro.',
    unknown: 'Ese modelo no existe. Elige uno de la lista.',
  },
  ERR_4003: {
    plain: 'Describe tu vídeo con unas pocas palabras.',
    policy: 'Este texto no está permitido aquí. Describe otro vídeo. No se te ha cobrado nada.',
    lengths: 'Describe tu vídeo con entre {minLength, number} y {maxLength, number} caracteres.',
    shorter: 'Describe tu vídeo con al menos {minLength, plural, one {# carácter} other {# caracteres}}.',
    longer: 'Describe tu vídeo con {maxLength, plural, one {# carácter} other {# caracteres}} como máximo.',
  },
  ERR_4004: {
    plain: 'Vas demasiado rápido. Espera un momento e inténtalo de nuevo.',
    detailed:
      'Vas demasiado rápido. Inténtalo de nuevo dentro de {retry_after, plural, one {# segundo} other {# segundos}}.',
    minutes:
      'Has alcanzado el límite por ahora. Inténtalo de nuevo dentro de {minutes, plural, one {# minuto} other {# minutos}}.',
    in_flight: 'Has alcanzado el límite de vídeos en curso. Espera a que termine alguno.',
    refunded_cancels: 'Has cancelado muchos vídeos que ya se estaban haciendo. Deja que este termine.',
    daily_spend:
      'Has alcanzado el límite de créditos que puedes gastar en un día. Inténtalo de nuevo dentro de {hours, plural, one {# hora} other {# horas}}.',
    code_guesses:
      'Has introducido demasiados códigos que no funcionan. Inténtalo de nuevo dentro de {minutes, plural, one {# minuto} other {# minutos}}.',
  },
  ERR_4005: {
    plain: 'No hemos encontrado tu sesión. Vuelve a abrir la aplicación para continuar.',
    expired: 'Tu sesión ha caducado. Vuelve a abrir la aplicación para continuar.',
    invalid: 'Tu sesión ya no es válida. Vuelve a abrir la aplicación para continuar.',
    signature: 'La firma de esta solicitud no es válida.',
    forbidden: 'No tienes permiso para hacer esto.',
    link: 'Este enlace no es válido.',
    link_expired: 'Este enlace ha caducado. Vuelve a abrir el vídeo para obtener uno nuevo.',
    upload_link_expired: 'Este enlace de subida ha caducado. Solicita uno nuevo.',
    identity_token: 'No hemos podido verificar tu inicio de sesión con Apple. Inténtalo de nuevo.',
  },
  ERR_4006: {
    plain: 'Hay algo en esta solicitud que no es válido. Revísala e inténtalo de nuevo.',
    detailed: 'El valor de «{field}» no es válido.',
    missing: 'Falta «{field}».',
    listed: '«{field}» debe ser uno de estos valores: {allowed}.',
    range: '«{field}» debe estar entre {minimum, number} y {maximum, number}.',
    least: '«{field}» debe ser como mínimo {minimum, number}.',
    most: '«{field}» debe ser como máximo {maximum, number}.',
    lengths: '«{field}» debe tener entre {minLength, number} y {maxLength, number} caracteres.',
    shorter: '«{field}» debe tener al menos {minLength, plural, one {# carácter} other {# caracteres}}.',
    longer: '«{field}» debe tener como máximo {maxLength, plural, one {# carácter} other {# caracteres}}.',
    malformed_json: 'La solicitud no es JSON válido.',
    malformed_text: 'La solicitud no es texto UTF-8 válido.',
    not_an_object: 'La solicitud debe ser un objeto JSON.',
    too_deep: 'La solicitud tiene demasiados niveles de anidamiento.',
    forbidden_characters: '«{field}» contiene caracteres no permitidos.',
    number: '«{field}» es un número demasiado grande o demasiado preciso.',
    duplicate_key: '«{field}» aparece más de una vez.',
    file_name:
      'Este nombre de archivo no está permitido. Usa solo letras sin acentos, cifras, espacios y signos de puntuación comunes.',
    malformed_form: 'El formulario de esta solicitud está incompleto.',
    picture_side: 'Cada lado de la imagen debe tener entre {minimum, number} y {maximum, number} píxeles.',
    picture_pixels: 'Esta imagen es demasiado grande. Puede tener como máximo {maximum, number} píxeles en total.',
    picture_small:
      'Esta imagen es demasiado pequeña para animarla. Su lado más corto debe tener al menos {minimum, number} píxeles.',
    picture_shape: 'Esta imagen es demasiado larga y estrecha para animarla.',
    picture_unknown: 'Elige una imagen que hayas subido.',
    no_change: 'Nada de esta solicitud cambiaría algo.',
    past: 'La hora de «{field}» ya ha pasado.',
    no_duration:
      'Los ajustes de este modelo no tienen una duración predeterminada, así que no se puede vender por segundos.',
  },
  ERR_4007: { plain: 'No hemos encontrado lo que buscas. Puede que se haya eliminado.' },
  ERR_4008: {
    plain: 'Esto ya no es posible porque algo ha cambiado mientras tanto.',
    running: 'Este vídeo todavía se está creando. Espera a que termine.',
    finished: 'Este vídeo ya no se puede cancelar.',
    in_progress: 'Todavía estamos trabajando en esta solicitud. Inténtalo de nuevo dentro de un momento.',
    exists: 'Ya hay un archivo con este nombre.',
    uploads_full: 'Has alcanzado el límite de imágenes guardadas. Borra alguna primero.',
    apple_account: 'Esta cuenta ya pertenece a otra cuenta de Apple.',
    below_zero: 'El saldo quedaría por debajo de cero. Es de {credits_remaining, number}.',
    code_exists: 'Ya existe un código así.',
  },
  ERR_4009: { plain: 'Esta solicitud ya se envió con otro contenido. Empieza una nueva.' },
  ERR_4010: {
    plain: 'No hemos podido verificar este dispositivo. Actualiza la aplicación e inténtalo de nuevo.',
    apple_account:
      'Este dispositivo pertenece a una cuenta que usa Iniciar sesión con Apple. Inicia sesión con Apple para continuar.',
  },
  ERR_4011: {
    plain: 'No hemos podido verificar esta compra. Restaura tus compras e inténtalo de nuevo.',
    unknown_product: 'Esta compra es de un producto que no se vende aquí.',
    revoked: 'Esta compra se ha reembolsado, así que no añade créditos.',
  },
  ERR_4012: { plain: 'Esta compra pertenece a otra cuenta y solo se puede usar en ella.' },
  ERR_4013: { plain: 'Esta cuenta está suspendida. Ponte en contacto con el equipo de soporte.' },
  ERR_4014: {
    plain: 'Esto es demasiado grande para enviarlo.',
    sized: 'Esto es demasiado grande. El límite es de {size}.',
  },
  ERR_4015: {
    plain: 'Este tipo de contenido no es compatible.',
    listed: 'Este tipo de contenido no es compatible. Envía {allowed}.',
    damaged: 'Esta imagen está dañada o incompleta. Elige otra.',
    animated: 'Esta imagen es animada. Elige una imagen fija.',
    compressed: 'No se admite contenido comprimido. Envíalo sin comprimir.',
  },
  ERR_4016: {
    plain: 'Esta URL no acepta este método.',
    listed: 'Esta URL no acepta este método. Usa {allowed}.',
  },
  ERR_4017: { plain: 'Esta función no está activada aquí.' },
  ERR_4018: { plain: 'Este código no funciona. Puede estar mal escrito, caducado o ya agotado.' },
  ERR_4019: {
    plain:
      'La creación de vídeos está en pausa por un momento. No se te ha cobrado nada. Inténtalo de nuevo dentro de poco.',
    detailed:
      'La creación de vídeos está en pausa por un momento. No se te ha cobrado nada. Inténtalo de nuevo dentro de {retry_after, plural, one {# segundo} other {# segundos}}.',
    minutes:
      'La creación de vídeos está en pausa por un momento. No se te ha cobrado nada. Inténtalo de nuevo dentro de {minutes, plural, one {# minuto} other {# minutos}}.',
  },
  ERR_5001: {
    plain:
      'El vídeo tardaba demasiado y hemos dejado de esperar. No se te ha cobrado nada: si se usaron créditos, ya están de nuevo en tu saldo.',
    refunded:
      'El vídeo tardaba demasiado y hemos dejado de esperar. No se te ha cobrado nada: {refunded, plural, one {tu # crédito vuelve} other {tus # créditos vuelven}} a estar en tu saldo.',
  },
  ERR_5002: {
    plain:
      'El servicio de vídeo no está disponible en este momento. No se te ha cobrado nada: si se usaron créditos, ya están de nuevo en tu saldo. Inténtalo más tarde.',
    refunded:
      'El servicio de vídeo no está disponible en este momento. No se te ha cobrado nada: {refunded, plural, one {tu # crédito vuelve} other {tus # créditos vuelven}} a estar en tu saldo. Inténtalo más tarde.',
    nothing_charged:
      'El servicio de vídeo no está disponible en este momento. No se te ha cobrado nada. Inténtalo dentro de un momento o elige otro modelo.',
  },
  ERR_5003: {
    plain:
      'El servicio de vídeo ha rechazado esta solicitud. No se te ha cobrado nada: si se usaron créditos, ya están de nuevo en tu saldo. Cambia el texto o los ajustes e inténtalo de nuevo.',
    refunded:
      'El servicio de vídeo ha rechazado esta solicitud. No se te ha cobrado nada: {refunded, plural, one {tu # crédito vuelve} other {tus # créditos vuelven}} a estar en tu saldo. Cambia el texto o los ajustes e inténtalo de nuevo.',
    moderated:
      'El servicio de vídeo ha rechazado esta solicitud por sus normas de contenido. No se te ha cobrado nada: si se usaron créditos, ya están de nuevo en tu saldo. Cambia el texto o la imagen e inténtalo de nuevo.',
    image_gone:
      'La imagen de este vídeo se borró o se sustituyó antes de que el servicio de vídeo la recibiera. No se te ha cobrado nada: si se usaron créditos, ya están de nuevo en tu saldo. Elige una imagen e inténtalo de nuevo.',
    image_unreadable:
      'El servicio de vídeo no ha podido leer la imagen de este vídeo. No se te ha cobrado nada: si se usaron créditos, ya están de nuevo en tu saldo. Vuelve a subir la imagen o elige otra.',
  },
  ERR_5004: {
    plain: 'Has cancelado este vídeo. Sus créditos vuelven a estar en tu saldo.',
    refunded:
      'Has cancelado este vídeo. {refunded, plural, one {Su # crédito vuelve} other {Sus # créditos vuelven}} a estar en tu saldo.',
  },
  ERR_5005: {
    plain:
      'El servicio de vídeo ha devuelto un vídeo que no se puede reproducir. No se te ha cobrado nada: sus créditos vuelven a estar en tu saldo. Inténtalo de nuevo.',
    refunded:
      'El servicio de vídeo ha devuelto un vídeo que no se puede reproducir. No se te ha cobrado nada: {refunded, plural, one {su # crédito vuelve} other {sus # créditos vuelven}} a estar en tu saldo. Inténtalo de nuevo.',
  },
  ERR_5006: {
    plain:
      'Un servicio del que dependemos no está disponible en este momento. Inténtalo de nuevo dentro de unos minutos.',
  },
  ERR_6001: {
    plain: 'No podemos acceder a nuestra base de datos en este momento. Inténtalo de nuevo dentro de un momento.',
    busy: 'Ahora mismo estamos recibiendo muchas solicitudes. Inténtalo de nuevo dentro de un momento.',
  },
  ERR_6002: {
    plain: 'No podemos acceder a nuestro almacén de vídeos en este momento. Inténtalo de nuevo dentro de un momento.',
  },
  ERR_6003: { plain: 'Algo ha fallado por nuestra parte. Inténtalo de nuevo dentro de un momento.' },
};
