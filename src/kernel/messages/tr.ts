import type { Sentences } from './sentences.ts';

/** The messages for users in Turkish. After a number Turkish nouns stay singular, so most plurals have one form. */
export const tr: Sentences = {
  ERR_4001: {
    plain: 'Yeterli krediniz yok. Lütfen daha fazla kredi satın alın.',
    detailed:
      'Bunun için {required, number} kredi gerekiyor, ancak yalnızca {available, number} krediniz var. Lütfen daha fazla kredi satın alın.',
    debt: 'Bunun için {required, number} kredi gerekiyor, ancak iade edilen bir satın alma nedeniyle bakiyeniz {available, number} kredi. Lütfen daha fazla kredi satın alın.',
  },
  ERR_4002: {
    plain: 'Bu model şu anda kullanılamıyor. Lütfen başka bir model seçin.',
    unknown: 'Böyle bir model yok. Lütfen listeden bir model seçin.',
  },
  ERR_4003: {
    plain: 'Lütfen videonuzu birkaç kelimeyle anlatın.',
    policy: 'Bu açıklamaya burada izin verilmiyor. Lütfen başka bir video tarif edin. Sizden kredi alınmadı.',
    lengths: 'Lütfen videonuzu en az {minLength, number}, en fazla {maxLength, number} karakterle anlatın.',
    shorter: 'Lütfen videonuzu en az {minLength, number} karakterle anlatın.',
    longer: 'Lütfen videonuzu en fazla {maxLength, number} karakterle anlatın.',
  },
  ERR_4004: {
    plain: 'Çok sık denediniz. Lütfen kısa bir süre bekleyip tekrar deneyin.',
    detailed: 'Çok sık denediniz. Lütfen {retry_after, number} saniye sonra tekrar deneyin.',
    minutes: 'Şimdilik sınıra ulaştınız. Lütfen {minutes, number} dakika sonra tekrar deneyin.',
    in_flight: 'Aynı anda hazırlanabilecek video sınırına ulaştınız. Lütfen birinin tamamlanmasını bekleyin.',
    refunded_cancels: 'Hazırlanmakta olan çok sayıda videoyu iptal ettiniz. Lütfen bunun tamamlanmasını bekleyin.',
    daily_spend:
      'Bir gün içinde kullanabileceğiniz kredi sınırına ulaştınız. Lütfen {hours, number} saat sonra tekrar deneyin.',
    code_guesses: 'Geçerli olmayan çok sayıda kod girdiniz. Lütfen {minutes, number} dakika sonra tekrar deneyin.',
  },
  ERR_4005: {
    plain: 'Oturumunuzu bulamadık. Devam etmek için lütfen uygulamayı yeniden açın.',
    expired: 'Oturumunuzun süresi doldu. Devam etmek için lütfen uygulamayı yeniden açın.',
    invalid: 'Oturumunuz artık geçerli değil. Devam etmek için lütfen uygulamayı yeniden açın.',
    signature: 'Bu isteğin imzası geçerli değil.',
    forbidden: 'Bunu yapmaya izniniz yok.',
    link: 'Bu bağlantı geçerli değil.',
    link_expired: 'Bu bağlantının süresi doldu. Yenisini almak için lütfen videoyu tekrar açın.',
    upload_link_expired: 'Bu yükleme bağlantısının süresi doldu. Lütfen yeni bir bağlantı isteyin.',
    identity_token: 'Apple ile Giriş doğrulanamadı. Lütfen yeniden deneyin.',
  },
  ERR_4006: {
    plain: 'Bu istekte geçersiz bir şey var. Lütfen kontrol edip tekrar deneyin.',
    detailed: '“{field}” değeri geçerli değil.',
    missing: '“{field}” eksik.',
    listed: '“{field}” şunlardan biri olmalı: {allowed}.',
    range: '“{field}” en az {minimum, number}, en fazla {maximum, number} olmalı.',
    least: '“{field}” en az {minimum, number} olmalı.',
    most: '“{field}” en fazla {maximum, number} olmalı.',
    lengths: '“{field}” en az {minLength, number}, en fazla {maxLength, number} karakter olmalı.',
    shorter: '“{field}” en az {minLength, number} karakter olmalı.',
    longer: '“{field}” en fazla {maxLength, number} karakter olmalı.',
    malformed_json: 'İstek geçerli bir JSON değil.',
    malformed_text: 'İstek geçerli bir UTF-8 metni değil.',
    not_an_object: 'İstek bir JSON nesnesi olmalı.',
    too_deep: 'İstekteki veriler çok fazla iç içe geçmiş.',
    forbidden_characters: '“{field}” izin verilmeyen karakterler içeriyor.',
    number: '“{field}” çok büyük ya da çok hassas bir sayı.',
    duplicate_key: '“{field}” birden fazla kez verilmiş.',
    file_name:
      'Bu dosya adı kullanılamaz. Lütfen yalnızca İngiliz alfabesindeki harfleri, rakamları, boşlukları ve yaygın noktalama işaretlerini kullanın.',
    malformed_form: 'Bu istekteki form eksik.',
    picture_side: 'Görselin her kenarı {minimum, number} ile {maximum, number} piksel arasında olmalı.',
    picture_pixels: 'Bu görsel çok büyük. Toplamda en fazla {maximum, number} piksel olabilir.',
    picture_small: 'Bu görsel canlandırmak için çok küçük. Kısa kenarı en az {minimum, number} piksel olmalı.',
    picture_shape: 'Bu görsel canlandırmak için çok uzun ve dar.',
    picture_unknown: 'Lütfen yüklediğiniz bir görseli seçin.',
    no_change: 'Bu istekteki hiçbir şey bir değişiklik yapmaz.',
    past: '“{field}” alanındaki zaman çoktan geçti.',
    no_duration: 'Bu modelin ayarlarında varsayılan bir süre yok; bu yüzden saniye başına satılamaz.',
  },
  ERR_4007: { plain: 'Aradığınızı bulamadık. Silinmiş olabilir.' },
  ERR_4008: {
    plain: 'Bu artık mümkün değil, çünkü bu arada bir şeyler değişti.',
    running: 'Bu video hâlâ hazırlanıyor. Lütfen tamamlanmasını bekleyin.',
    finished: 'Bu video artık iptal edilemez.',
    in_progress: 'Bu istek üzerinde hâlâ çalışıyoruz. Lütfen birazdan tekrar deneyin.',
    exists: 'Bu adda bir dosya zaten var.',
    uploads_full: 'Saklayabileceğiniz görsel sınırına ulaştınız. Lütfen önce bazı görselleri silin.',
    apple_account: 'Bu hesap zaten başka bir Apple Hesabına ait.',
    below_zero: 'Bakiye sıfırın altına düşerdi. Şu an {credits_remaining, number}.',
    code_exists: 'Böyle bir kod zaten var.',
  },
  ERR_4009: {
    plain: 'Bu istek daha önce farklı bir içerikle gönderildi. Lütfen yeni bir istek başlatın.',
  },
  ERR_4010: {
    plain: 'Bu cihazı doğrulayamadık. Lütfen uygulamayı güncelleyip tekrar deneyin.',
    apple_account: 'Bu cihaz, Apple ile giriş yapılan bir hesaba ait. Devam etmek için lütfen Apple ile giriş yapın.',
  },
  ERR_4011: {
    plain: 'Bu satın almayı doğrulayamadık. Lütfen satın almalarınızı geri yükleyip tekrar deneyin.',
    unknown_product: 'Bu satın alma, burada satılmayan bir ürüne ait.',
    revoked: 'Bu satın almanın ücreti iade edildiği için kredi eklenmedi.',
  },
  ERR_4012: { plain: 'Bu satın alma başka bir hesaba ait ve yalnızca o hesapta kullanılabilir.' },
  ERR_4013: { plain: 'Bu hesap askıya alındı. Lütfen destek ekibiyle iletişime geçin.' },
  ERR_4014: {
    plain: 'Bu, gönderilemeyecek kadar büyük.',
    sized: 'Bu, gönderilemeyecek kadar büyük. En fazla {size} gönderebilirsiniz.',
  },
  ERR_4015: {
    plain: 'Bu içerik türü desteklenmiyor.',
    listed: 'Bu içerik türü desteklenmiyor. Lütfen şu türlerden birini gönderin: {allowed}.',
    damaged: 'Bu görsel bozuk veya eksik. Lütfen başka bir görsel seçin.',
    animated: 'Bu görsel hareketli. Lütfen hareketsiz bir görsel seçin.',
    compressed: 'Sıkıştırılmış içerik desteklenmiyor. Lütfen sıkıştırmadan gönderin.',
  },
  ERR_4016: {
    plain: 'Bu URL bu yöntemi kabul etmiyor.',
    listed: 'Bu URL bu yöntemi kabul etmiyor. Lütfen şunu kullanın: {allowed}.',
  },
  ERR_4017: { plain: 'Bu özellik burada etkin değil.' },
  ERR_4018: { plain: 'Bu kod geçerli değil. Yanlış yazılmış, süresi dolmuş veya tamamen kullanılmış olabilir.' },
  ERR_4019: {
    plain: 'Yeni videolara kısa bir ara verdik. Sizden ücret alınmadı. Lütfen birazdan tekrar deneyin.',
    detailed:
      'Yeni videolara kısa bir ara verdik. Sizden ücret alınmadı. Lütfen {retry_after, number} saniye sonra tekrar deneyin.',
    minutes:
      'Yeni videolara kısa bir ara verdik. Sizden ücret alınmadı. Lütfen {minutes, number} dakika sonra tekrar deneyin.',
  },
  ERR_5001: {
    plain:
      'Video çok uzun sürdüğü için beklemeyi bıraktık. Sizden ücret alınmadı: kullanılan kredi varsa bakiyenize geri döndü.',
    refunded:
      'Video çok uzun sürdüğü için beklemeyi bıraktık. Sizden ücret alınmadı: {refunded, number} krediniz bakiyenize geri döndü.',
  },
  ERR_5002: {
    plain:
      'Video servisine şu anda ulaşılamıyor. Sizden ücret alınmadı: kullanılan kredi varsa bakiyenize geri döndü. Lütfen daha sonra tekrar deneyin.',
    refunded:
      'Video servisine şu anda ulaşılamıyor. Sizden ücret alınmadı: {refunded, number} krediniz bakiyenize geri döndü. Lütfen daha sonra tekrar deneyin.',
    nothing_charged:
      'Video servisine şu anda ulaşılamıyor. Sizden ücret alınmadı. Lütfen birazdan tekrar deneyin veya başka bir model seçin.',
  },
  ERR_5003: {
    plain:
      'Video servisi bu isteği kabul etmedi. Sizden ücret alınmadı: kullanılan kredi varsa bakiyenize geri döndü. Lütfen metni veya ayarları değiştirip tekrar deneyin.',
    refunded:
      'Video servisi bu isteği kabul etmedi. Sizden ücret alınmadı: {refunded, number} krediniz bakiyenize geri döndü. Lütfen metni veya ayarları değiştirip tekrar deneyin.',
    moderated:
      'Video servisi bu isteği içerik kuralları nedeniyle kabul etmedi. Sizden ücret alınmadı: kullanılan kredi varsa bakiyenize geri döndü. Lütfen metni veya görseli değiştirip tekrar deneyin.',
    image_gone:
      'Bu videonun görseli, video servisine ulaşmadan silindi veya değiştirildi. Sizden ücret alınmadı: kullanılan kredi varsa bakiyenize geri döndü. Lütfen bir görsel seçip tekrar deneyin.',
    image_unreadable:
      'Video servisi bu videonun görselini okuyamadı. Sizden ücret alınmadı: kullanılan kredi varsa bakiyenize geri döndü. Lütfen görseli yeniden yükleyin veya başka bir görsel seçin.',
  },
  ERR_5004: {
    plain: 'Bu videoyu iptal ettiniz. Kullanılan krediler bakiyenize geri döndü.',
    refunded: 'Bu videoyu iptal ettiniz. {refunded, number} krediniz bakiyenize geri döndü.',
  },
  ERR_5005: {
    plain:
      'Video servisinden gelen video oynatılamıyor. Sizden ücret alınmadı: kullanılan krediler bakiyenize geri döndü. Lütfen tekrar deneyin.',
    refunded:
      'Video servisinden gelen video oynatılamıyor. Sizden ücret alınmadı: {refunded, number} krediniz bakiyenize geri döndü. Lütfen tekrar deneyin.',
  },
  ERR_5006: { plain: 'Bağlı olduğumuz bir servise şu anda ulaşılamıyor. Lütfen birkaç dakika sonra tekrar deneyin.' },
  ERR_6001: {
    plain: 'Şu anda veritabanımıza ulaşamıyoruz. Lütfen birazdan tekrar deneyin.',
    busy: 'Şu anda çok yoğunuz. Lütfen birazdan tekrar deneyin.',
  },
  ERR_6002: { plain: 'Şu anda video depomuza ulaşamıyoruz. Lütfen birazdan tekrar deneyin.' },
  ERR_6003: { plain: 'Bizim tarafımızda bir sorun oluştu. Lütfen birazdan tekrar deneyin.' },
};
