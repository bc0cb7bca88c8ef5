import { pluralIn } from '../plural.ts';
import type { ShopMessages } from './en.ts';

const n = pluralIn('tr');
const credits = (count: number) => n(count, { other: '# kredi' });

export const shop: ShopMessages = {
  getCredits: 'Kredi al',
  debt: (count) => `Bakiyeniz sıfırın ${credits(count)} altında: iade edilen bir satın almanın kredileri harcanmıştı.`,
  shopKinds: {
    simulated: 'Simüle edilmiş App Store: gerçek para ödenmez.',
    web: 'Stripe’ın sayfasında ödeme yapıp buraya dönersiniz.',
    app: 'Krediler uygulamadan satın alınır. Aynı hesaba giriş yaptığınız yerde anında görünür.',
  },
  products: 'Satıştaki krediler',
  noProducts: 'Şu anda satışta bir şey yok.',
  buy: 'Satın al',
  buying: 'Satın alınıyor…',
  buyProduct: (product) => `Satın al: ${product}`,
  bought: (count) => `${credits(count)} eklendi.`,
  purchases: 'Satın aldıklarınız',
  boughtAt: (product, time) => `${product}, ${time}`,
  refundAll: 'Tümünü iade et',
  refundHalf: 'Yarısını iade et',
  refunded: 'İade edildi',
  refundedPart: (percentage) => `%${percentage.toLocaleString('tr')} iade edildi`,
  refundSent: 'Satın alma iade edildi.',
  code: 'Kod',
  codeHint: 'Bir kampanyadan ya da destek ekibinden.',
  redeem: 'Kullan',
  redeeming: 'Kullanılıyor…',
  codeTooShort: (min) => `Bir kodda en az ${min} harf ve rakam bulunur.`,
  redeemed: (count) => `Kod ${credits(count)} ekledi.`,
  redeemedBefore: 'Bu kodu daha önce kullandınız.',
  checkouts: {
    success: 'Teşekkürler! Ödeme onaylanır onaylanmaz krediler eklenir.',
    cancelled: 'Satın almayı iptal ettiniz. Hiçbir şey ödenmedi.',
  },
};
