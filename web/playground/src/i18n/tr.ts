import { account } from './account/tr.ts';
import type { Messages } from './en.ts';
import { pluralIn } from './plural.ts';
import { shop } from './shop/tr.ts';

const n = pluralIn('tr');
// A Turkish noun stays in the singular after a number.
const credits = (count: number) => n(count, { other: '# kredi' });

export const tr: Messages = {
  skip: 'Forma geç',
  reference: 'API başvurusu',
  language: 'Dil',
  theme: 'Tema',
  themes: { light: 'Açık', dark: 'Koyu', system: 'Sistem' },
  close: 'Kapat',

  ask: 'Videoda ne olsun?',
  placeholder: 'Alacakaranlıkta yağmurlu bir sokakta süzülen kâğıttan bir gemi',
  askAboutImage: 'Görselde ne olsun?',
  imagePlaceholder: 'Kayık ışıklara doğru yavaşça süzülüyor',
  motions: [
    { label: 'Yaklaş', prompt: 'Kamera yavaşça yaklaşıyor' },
    { label: 'Hafif rüzgâr', prompt: 'Hafif bir rüzgâr saçları, yaprakları ve giysileri kıpırdatıyor' },
    { label: 'Gülümseme', prompt: 'Kameraya bakıp gülümsüyor' },
    { label: 'Kar', prompt: 'İri taneli kar yavaş yavaş yağmaya başlıyor' },
    { label: 'Çevresinde dön', prompt: 'Kamera yavaşça sola doğru çevresinde dönüyor' },
    { label: 'Akşam', prompt: 'Akşam oluyor, lambalar yanıyor' },
  ],
  ideasLabel: 'Ya da bir fikirle başlayın',
  moreIdeas: 'Başka fikirler',
  ideas: [
    { label: 'Piyano çalan kedi', prompt: 'Mum ışığında piyano çalan bir kedi, kamera yavaşça patilerine yaklaşıyor' },
    { label: 'Bulut denizi', prompt: 'Gün doğarken küçük kırmızı bir zeplinden görünen bulut denizi' },
    { label: 'Gece fenerleri', prompt: 'Gece, durgun bir gölün üzerinde yükselen kâğıt fenerler' },
    { label: 'Şehirde yağmur', prompt: 'Su birikintilerine yansıyan neon tabelalar, yağmurda geçip giden şemsiyeler' },
    { label: 'Minik bahçıvan', prompt: 'Parmak kadar bir bahçıvan pencere önünde eğrelti otu suluyor, sabah ışığı' },
    { label: 'Son tramvay', prompt: 'Gecenin son tramvayı yağan karın içinden süzülüyor' },
  ],
  counter: (length, max) => `${length.toLocaleString('tr')} / ${max.toLocaleString('tr')} karakter`,

  model: 'Model',
  allModels: (count) => `${count} modelin hepsini göster`,
  categories: {
    sandbox: 'Deneme alanı',
    cinematic: 'Sinematik',
    creative: 'Yaratıcı',
    'image-to-video': 'Görselden video',
  },
  descriptions: {
    'A real video of your prompt, rendered on this machine. Needs no vendor account; good for testing.':
      'Metninizden bu makinede oluşturulan gerçek bir video. Dış hizmet gerekmez; denemek için birebir.',
    'Cinematic scenes with realistic light and motion. Our highest video quality.':
      'Gerçekçi ışık ve hareketle sinematik sahneler. En yüksek video kalitemiz.',
    'The cinematic look at half the price and in less time. Good for trying out ideas.':
      'Sinematik görünüm, yarı fiyatına ve daha kısa sürede. Fikir denemek için iyi.',
    'Brings your image to life.': 'Görselinize hayat verir.',
    'Lively motion and camera moves.': 'Canlı hareketler ve kamera kullanımı.',
    'Playful, stylised clips in many aspect ratios.': 'Pek çok en boy oranında, eğlenceli ve stilize klipler.',
    'Precise control: follows your description of a shot closely.': 'Hassas kontrol: anlattığınız çekime sadık kalır.',
    'Animates your image quickly and at a low price.': 'Görselinizi hızlı ve uygun fiyata canlandırır.',
    // The descriptions before they were reworded: databases that were created earlier still have them.
    'A real video of your prompt, rendered on this machine. Free of vendors, for trying things out.':
      'Metninizden bu makinede oluşturulan gerçek bir video. Dış hizmet gerekmez; denemek için birebir.',
    'Film-like scenes with convincing light and motion. The best picture on offer.':
      'Işığı ve hareketi inandırıcı, film gibi sahneler. Buradaki en iyi görüntü.',
    'The film look at half the price, in less time. Good for trying ideas.':
      'Film görünümü yarı fiyatına ve daha kısa sürede. Fikir denemek için iyi.',
    'Brings your picture to life.': 'Görselinize hayat verir.',
    'Playful, stylised clips in many shapes.': 'Pek çok biçimde, oyuncu ve stilize klipler.',
    'Precise direction: follows a described shot closely.': 'Hassas yönetim: anlatılan çekime sadık kalır.',
    'Animates your picture quickly and cheaply.': 'Görselinizi hızlı ve ucuza canlandırır.',
  },
  featured: 'Öne çıkan',
  simulated: 'Simülasyon',
  simulatedWhy:
    'Bu model simülasyondur: hiçbir dış hizmet çağrılmaz, sahnenizin yerine hazır bir video gelir. Gerçek videolar oluşturmak için hizmetin API anahtarını sunucuya ekleyin.',
  simulatedVideo: 'Bu hazır bir video: hiçbir dış hizmet çağrılmadı.',
  fast: 'Hızlı',
  needsImage: 'Görsel gerekir',
  perVideo: (count) => `Video başına ${credits(count)}`,
  perSeconds: (count, seconds) =>
    seconds === 1 ? `Saniye başına ${credits(count)}` : `${seconds} saniye başına ${credits(count)}`,

  image: 'Görsel',
  imageChoose: 'Görsel seçin',
  imageHint: 'ya da buraya bırakın veya yapıştırın',
  imageHintTouch: 'fotoğraflarınızdan ya da kameranızdan',
  imageDrop: 'Buraya bırakın',
  imageReplace: 'Başka görsel seç',
  imageRemove: 'Görseli kaldır',
  imageSending: 'Görsel yükleniyor',
  imageUploaded: 'Görsel yüklendi.',
  imageMissing: 'Canlandırılacak bir görsel seçin.',
  imageCropped: 'Videoda görselin bu bölümü görünecek.',
  imageCopy: (width, height) => `${width} × ${height} piksellik bir kopyası gönderilir.`,
  imageProblems: {
    notImage: () => 'Bu dosya, tarayıcınızın açabildiği bir görsel değil. Hiçbir şey gönderilmedi.',
    tooLarge: () => 'Bu görsel, tarayıcınızın küçültemeyeceği kadar büyük. Hiçbir şey gönderilmedi.',
    tooSmall: (min) => `Bu görsel çok küçük: her kenarı en az ${min} piksel olmalı. Hiçbir şey gönderilmedi.`,
    oddShape: () => 'Bu görsel bir video için fazla uzun ve dar. Hiçbir şey gönderilmedi.',
  },

  settings: {
    duration: 'Süre',
    aspect_ratio: 'En boy oranı',
    resolution: 'Çözünürlük',
    fps: 'Saniyedeki kare sayısı',
    audio: 'Ses',
  },
  seconds: (count) => n(count, { other: '# saniye' }),
  secondsShort: (count) => `${count} sn`,

  generate: 'Videoyu oluştur',
  uploading: 'Görsel yükleniyor…',
  sending: 'Gönderiliyor…',
  waiting: 'Bağlantı bekleniyor…',
  credits,
  tooShort: (min) => `Videonuzu en az ${min} karakterle anlatın.`,
  tooLong: (over, max) => n(over, { other: `${max.toLocaleString('tr')} karakterlik sınır # karakter aşıldı.` }),
  tooExpensive: (need, have) => `Bunun için ${credits(need)} gerekiyor, sizde ${have} var.`,
  noCredits: 'Krediniz kalmadı.',
  noModels: 'Bu sunucuda kullanılabilir model yok.',
  noConnection: 'Şu anda bağlantı yok.',
  newGuest: 'Yeni bir misafir olarak baştan başla',
  newGuestTitle: 'Yeni bir misafir olarak baştan başlansın mı?',
  newGuestText: 'Yeni hoş geldin kredisi alacaksınız. Bu tarayıcı videolarınızı ve kalan kredinizi unutacak.',
  newGuestYes: 'Baştan başla',
  keep: 'Her şeyi koru',

  stage: 'Video',
  empty: 'Videonuz burada oynatılacak',
  emptyHint: 'Bir sahne anlatın ya da bir fikir seçin, sonra düğmeye basın.',
  emptyHintImage: 'Bir görsel seçin, içinde ne olacağını anlatın, sonra düğmeye basın.',
  queued: 'Sırada bekliyor',
  inQueue: (position) => `Sıranız: ${position}`,
  setting: 'Sahne kuruluyor',
  making: 'Videonuz hazırlanıyor',
  finishing: 'Son dokunuşlar',
  elapsed: 'geçti',
  done: 'Videonuz hazır.',
  failedTitle: 'Bu kez olmadı',
  cancelledTitle: 'İptal edildi',
  failedPlain: 'Bu video oluşturulamadı. Kredisi bakiyenize geri döndü.',
  cancel: 'İptal et',
  cancelling: 'İptal ediliyor…',
  makeChanges: 'Değişiklik yap',
  download: 'İndir',
  tryAgain: 'Yeniden dene',

  history: 'Videolarınız',
  more: 'Daha fazla göster',
  remove: 'Sil',
  removed: (count) => n(count, { one: 'Video silindi', other: '# video silindi' }),
  undo: 'Geri al',
  statuses: { pending: 'Bekliyor', processing: 'Hazırlanıyor', completed: 'Hazır', failed: 'Başarısız' },

  balance: (count) => `${credits(count)} kaldı`,
  balanceOpen: 'Kredi geçmişini göster',
  ledger: 'Kredi geçmişi',
  ledgerEmpty: 'Henüz bir değişiklik yok.',
  balanceAfter: (count) => `${count} kaldı`,
  showVideo: 'Videoyu göster',
  videoGone: 'Bu video silinmiş.',
  reasons: {
    initial_grant: 'Hoş geldin kredisi',
    video_generation: 'Video',
    generation_failed_refund: 'Video iadesi',
    iap_purchase: 'Satın alma',
    apple_refund: 'App Store iadesi',
    apple_refund_reversed: 'App Store iadesi geri alındı',
    admin_refund: 'Destek ekibinden iade',
    admin_adjustment: 'Düzeltme',
    account_merge: 'Misafir hesabınızdan',
    promo_grant: 'Hediye',
    code_redeemed: 'Kod',
    credits_expired: 'Süresi dolan krediler',
    store_refund: 'Satın alma iadesi',
    store_refund_reversed: 'Satın alma iadesi geri alındı',
  },

  // The account
  ...account,

  ...shop,

  connectionLost:
    'Bağlantı koptu. Videolarınız hazırlanmaya devam edecek; bağlantı geri gelince bu sayfa güncellenecek.',
  offline: 'Çevrimdışısınız. Ağınızı kontrol edin; bağlantı geri gelince bu sayfa güncellenecek.',
  unexpected: 'Sunucu beklenmeyen bir yanıt verdi.',
  errorReference: 'Referans',
  copy: 'Referansı kopyala',
  copied: 'Kopyalandı',
  retry: 'Yeniden dene',
  brokenVideo: 'Video yüklenemedi.',
};
