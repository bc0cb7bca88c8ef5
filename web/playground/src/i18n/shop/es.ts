import { pluralIn } from '../plural.ts';
import type { ShopMessages } from './en.ts';

const n = pluralIn('es');
const credits = (count: number) => n(count, { one: '# crédito', other: '# créditos' });

export const shop: ShopMessages = {
  getCredits: 'Obtener créditos',
  debt: (count) =>
    `Tu saldo está ${credits(count)} por debajo de cero: se habían gastado créditos de una compra reembolsada.`,
  shopKinds: {
    simulated: 'App Store simulada: no se mueve dinero.',
    web: 'Pagas en la página de Stripe y después vuelves aquí.',
    app: 'Los créditos se compran en la aplicación. Donde tengas iniciada la misma cuenta, aparecen al momento.',
  },
  products: 'Créditos a la venta',
  noProducts: 'Ahora mismo no hay nada a la venta.',
  buy: 'Comprar',
  buying: 'Comprando…',
  buyProduct: (product) => `Comprar ${product}`,
  bought: (count) => n(count, { one: 'Se ha añadido # crédito.', other: 'Se han añadido # créditos.' }),
  purchases: 'Tus compras',
  boughtAt: (product, time) => `${product}, ${time}`,
  refundAll: 'Reembolsar todo',
  refundHalf: 'Reembolsar la mitad',
  refunded: 'Reembolsada',
  refundedPart: (percentage) => `${percentage.toLocaleString('es')} % reembolsado`,
  refundSent: 'La compra se ha reembolsado.',
  code: 'Código',
  codeHint: 'De una campaña o de soporte.',
  redeem: 'Canjear',
  redeeming: 'Canjeando…',
  codeTooShort: (min) => `Un código tiene al menos ${min} letras y cifras.`,
  redeemed: (count) => `El código ha añadido ${credits(count)}.`,
  redeemedBefore: 'Ya habías usado este código.',
  checkouts: {
    success: '¡Gracias! Los créditos se añaden en cuanto se confirma el pago.',
    cancelled: 'Has cancelado la compra. No se ha pagado nada.',
  },
};
