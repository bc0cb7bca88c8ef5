import { pluralIn } from '../plural.ts';
import type { AccountMessages } from './en.ts';

const n = pluralIn('tr');
const credits = (count: number) => n(count, { other: '# kredi' });
const films = (count: number) => n(count, { other: '# video' });

export const account: AccountMessages = {
  account: 'Hesap',
  guest: 'Misafir',
  guestHint: 'Bu hesap yalnızca bu tarayıcıya ait.',
  appleUser: 'Apple ile giriş yapıldı',
  noEmail: 'E-posta adresi yok',
  signIn: 'Apple ile giriş yap',
  asking: 'Apple penceresi bekleniyor…',
  mergingGuest: 'Apple hesabınıza taşınıyor…',
  mergeBrings: (count, videos) =>
    `${credits(count)}${videos > 0 ? ` ve ${films(videos)}` : ''} Apple hesabınıza taşınır. Burada zaten bir hesabınız varsa ona eklenir.`,
  merged: (count) => `Apple ile giriş yaptınız; bakiyeniz ${credits(count)}.`,
  appleProblems: {
    blocked: 'Tarayıcınız Apple penceresini engelledi. Bu sayfanın açılır pencerelerine izin verip yeniden deneyin.',
    closed: 'Giriş yapılmadan pencere kapatıldı. Hiçbir şey değişmedi.',
    insecure: 'Apple ile giriş güvenli bir sayfa gerektirir: bu sayfayı https ile ya da localhost olarak açın.',
    failed: 'Apple girişinizi tamamlayamadı. Hiçbir şey değişmedi.',
  },
  sessions: 'Giriş yaptığınız yerler',
  thisDevice: 'Bu cihaz',
  otherDevice: 'Başka bir cihaz',
  lastSeen: (time) => `Son görülme: ${time}`,
  endSession: 'Kapat',
  endSessionSeen: (time) => `Son görülmesi ${time} olan oturumu kapat`,
  sessionEnded: 'Oturum kapatıldı.',
  endOthers: 'Diğerlerini kapat',
  othersEnded: 'Diğer bütün oturumlar kapatıldı.',
  yourData: 'Verileriniz',
  exportHint: 'Profil, videolar, kredi geçmişi, yüklemeler ve oturumlar tek bir JSON dosyasında.',
  exportData: 'İndir',
  exporting: 'Hazırlanıyor…',
  exported: 'Verileriniz indirildi.',
  exportCut: 'İndirme yarıda kesildi. Yeniden deneyin.',
  signOut: 'Çıkış yap',
  signOutEverywhere: 'Her yerden çıkış yap',
  deleteAccount: 'Hesabı sil',
  deleteTitle: 'Hesabınız silinsin mi?',
  deleteLost: 'Kalıcı olarak silinecekler:',
  deleteImages: 'görselleriniz ve metinleriniz',
  deleteSessions: 'bütün cihazlardaki oturumlarınız',
  deleteApple: 'Apple hesabınızla olan bağlantı',
  deleteAfter: 'Hazırlanan videolar iptal edilir. Hoş geldin kredisi her cihaza bir kez verilir.',
  deleteConfirm: 'Bunun geri alınamayacağını anlıyorum.',
  deleteYes: 'Kalıcı olarak sil',
  deleting: 'Siliniyor…',
  signedOut: {
    signed_out: 'Çıkış yaptınız.',
    deleted: 'Hesabınız silindi.',
    ended: 'Oturumunuz kapatıldı. Videolarınızı görmek için yeniden giriş yapın.',
  },
  continueAsGuest: 'Misafir olarak devam et',
  noAccount: 'Önce giriş yapın ya da misafir olarak devam edin.',
  films,
};
