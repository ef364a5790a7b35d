"""Indonesian words the pretend city is made of. None of them names a person or a real place."""

from __future__ import annotations

from dataclasses import dataclass

FIRST_PARTS = (
    "Karang",
    "Suka",
    "Tirta",
    "Wana",
    "Banyu",
    "Sumber",
    "Mekar",
    "Cipta",
    "Kali",
    "Padang",
    "Gunung",
    "Tanjung",
    "Pasir",
    "Lembah",
    "Ranu",
    "Kembang",
)
LAST_PARTS = (
    "asri",
    "jaya",
    "mulya",
    "sari",
    "wangi",
    "harjo",
    "rahayu",
    "indah",
    "luhur",
    "agung",
    "makmur",
    "bening",
    "lestari",
    "tengah",
)


@dataclass(frozen=True, slots=True)
class Subject:
    """What a request can be about: how often, who answers, how fast (days), how it is told."""

    name: str
    weight: float
    opds: tuple[str, ...]
    days: float
    openings: tuple[str, ...]


SUBJECTS = (
    Subject(
        "jalan rusak",
        17,
        ("dpuprpkp",),
        4.4,
        (
            "Jalan berlubang cukup dalam",
            "Aspal mengelupas dan membahayakan pengendara",
            "Bahu jalan ambles",
            "Tutup saluran di badan jalan pecah",
        ),
    ),
    Subject(
        "sampah",
        14,
        ("dlh",),
        2.0,
        (
            "Sampah menumpuk dan belum diangkut",
            "Tempat pembuangan liar di tepi kali",
            "Truk sampah tidak datang sesuai jadwal",
            "Bak sampah umum meluber",
        ),
    ),
    Subject(
        "lampu jalan",
        12,
        ("dishub", "dpuprpkp"),
        2.2,
        (
            "Lampu jalan padam",
            "Lampu penerangan berkedip sepanjang malam",
            "Tiang lampu miring dan kabel menjuntai",
        ),
    ),
    Subject(
        "banjir dan drainase",
        8,
        ("dpuprpkp", "bpbd"),
        3.2,
        (
            "Saluran air tersumbat",
            "Air menggenang setinggi lutut setelah hujan",
            "Gorong-gorong tertutup lumpur",
            "Talut sungai retak",
        ),
    ),
    Subject(
        "air bersih",
        7,
        ("dpuprpkp",),
        2.6,
        ("Air tidak mengalir sejak pagi", "Air keruh dan berbau", "Pipa bocor di depan rumah"),
    ),
    Subject(
        "kependudukan",
        9,
        ("dispendukcapil",),
        1.6,
        (
            "Pengurusan KTP-el belum selesai",
            "Perubahan kartu keluarga tertahan",
            "Akta kelahiran belum terbit",
            "Antrean loket terlalu panjang",
        ),
    ),
    Subject(
        "perizinan",
        6,
        ("disnaker",),
        2.8,
        ("Izin usaha belum terbit", "Berkas perizinan diminta ulang", "Laman perizinan tidak dapat dibuka"),
    ),
    Subject(
        "kesehatan",
        5,
        ("dinkes", "rsud"),
        1.9,
        ("Antrean puskesmas terlalu lama", "Obat di puskesmas kosong", "Perlu penyemprotan nyamuk"),
    ),
    Subject(
        "pendidikan",
        4,
        ("disdikbud",),
        2.6,
        ("Atap ruang kelas bocor", "Pungutan di sekolah", "Informasi penerimaan siswa kurang jelas"),
    ),
    Subject(
        "lalu lintas dan parkir",
        6,
        ("dishub",),
        1.8,
        ("Lampu lalu lintas mati", "Parkir liar menutup jalan", "Rambu tertutup pohon"),
    ),
    Subject(
        "ketertiban umum",
        5,
        ("satpolpp",),
        1.5,
        ("Pedagang menutup trotoar", "Reklame tanpa izin", "Kebisingan sampai larut malam"),
    ),
    Subject(
        "bantuan sosial",
        4,
        ("dinsos",),
        2.9,
        (
            "Belum terdaftar penerima bantuan",
            "Bantuan tidak tepat sasaran",
            "Lansia terlantar perlu ditangani",
        ),
    ),
    Subject(
        "pohon dan taman",
        4,
        ("dlh",),
        2.2,
        ("Pohon besar rawan tumbang", "Taman tidak terawat", "Ranting menyentuh kabel"),
    ),
    Subject(
        "pasar dan usaha",
        2.5,
        ("diskopindag",),
        2.6,
        ("Lapak pasar bocor", "Timbangan pasar tidak sesuai", "Harga bahan pokok melonjak"),
    ),
    Subject(
        "pajak daerah", 2.5, ("bapenda",), 2.0, ("Nilai PBB tidak sesuai", "Pembayaran pajak belum tercatat")
    ),
    Subject(
        "kebakaran dan penyelamatan",
        1.5,
        ("damkar",),
        0.8,
        ("Sarang tawon di atap", "Ular masuk rumah", "Hidran tidak berfungsi"),
    ),
    Subject(
        "ketenagakerjaan",
        1.5,
        ("disnaker",),
        2.7,
        ("Upah di bawah ketentuan", "Kartu pencari kerja belum jadi"),
    ),
    Subject(
        "pelayanan kecamatan",
        5,
        ("kec-utara", "kec-timur", "kec-tengah", "kec-selatan", "kec-barat"),
        1.8,
        (
            "Surat pengantar lama dilayani",
            "Petugas loket tidak di tempat",
            "Jam layanan tidak sesuai pengumuman",
        ),
    ),
    Subject(
        "informasi publik",
        2,
        ("diskominfo", "setda"),
        1.5,
        ("Dokumen anggaran belum dipublikasikan", "Laman dinas tidak diperbarui"),
    ),
    Subject(
        "olahraga dan pariwisata",
        1,
        ("disporapar",),
        2.4,
        ("Lapangan olahraga rusak", "Fasilitas taman wisata tidak terawat"),
    ),
    Subject(
        "pertanian dan ternak",
        1,
        ("dispangtan",),
        2.6,
        ("Pupuk bersubsidi sulit didapat", "Vaksin ternak terlambat"),
    ),
    Subject(
        "perpustakaan",
        0.5,
        ("dispussipda",),
        2.0,
        ("Mobil perpustakaan tidak datang", "Koleksi buku anak kurang"),
    ),
    Subject(
        "kepegawaian",
        0.5,
        ("bkpsdm", "inspektorat"),
        3.5,
        ("Petugas meminta imbalan", "Pegawai tidak berada di kantor pada jam kerja"),
    ),
)

FLOOD = "banjir dan drainase"
STREETS = (
    "Jalan Kenanga",
    "Jalan Anggrek",
    "Jalan Cendana",
    "Jalan Merpati",
    "Jalan Rajawali",
    "Jalan Mawar",
    "Jalan Bengawan",
    "Jalan Semeru",
    "Jalan Flamboyan",
    "Gang Delima",
    "Gang Pelita",
    "Gang Sawo",
)
SPOTS = (
    "dekat sekolah dasar",
    "di depan balai RW",
    "di simpang tiga",
    "sebelah pasar",
    "dekat jembatan",
    "di depan puskesmas",
    "dekat gapura",
    "di tikungan",
    "seberang lapangan",
)
SINCE = (
    "sejak kemarin",
    "sudah tiga hari",
    "sudah seminggu",
    "sejak dua minggu lalu",
    "sudah sebulan lebih",
    "sejak hujan terakhir",
    "hampir setiap malam",
    "sejak pagi tadi",
)
PLEAS = (
    "Mohon segera ditindaklanjuti.",
    "Mohon bantuannya.",
    "Kapan akan ditangani?",
    "Warga sudah resah.",
    "Terima kasih atas perhatiannya.",
    "Sudah pernah dilaporkan tetapi belum ada tanggapan.",
)
THANKS = ("Usul", "Saran untuk pemerintah kota")
QUESTIONS = ("Mohon informasi", "Mau bertanya", "Bagaimana prosedurnya")

SERVICES = (
    ("Layanan {} Daring", "layanan"),
    ("Sistem Informasi {}", "si"),
    ("Laman Resmi {}", "www"),
    ("Arsip Digital {}", "arsip"),
    ("Data Terpadu {}", "data"),
    ("Pengaduan {}", "lapor"),
    ("Antrean {}", "antre"),
    ("Peta {}", "peta"),
    ("Jadwal {}", "jadwal"),
    ("Laporan Kinerja {}", "kinerja"),
)
"""What an application does, with the first label of its address."""

THEMES = {
    "setda": "Sekretariat",
    "setwan": "Persidangan",
    "inspektorat": "Pengawasan",
    "bappeda": "Perencanaan",
    "bkad": "Keuangan dan Aset",
    "bapenda": "Pajak Daerah",
    "bkpsdm": "Kepegawaian",
    "bakesbangpol": "Kesatuan Bangsa",
    "bpbd": "Kebencanaan",
    "diskominfo": "Kominfo",
    "disdikbud": "Pendidikan",
    "dinkes": "Kesehatan",
    "dpuprpkp": "Tata Ruang",
    "dinsos": "Sosial",
    "satpolpp": "Ketertiban",
    "damkar": "Pemadam",
    "disnaker": "Perizinan",
    "dispangtan": "Pangan",
    "dlh": "Lingkungan",
    "dispendukcapil": "Kependudukan",
    "dishub": "Perhubungan",
    "diskopindag": "Perdagangan",
    "disporapar": "Pariwisata",
    "dispussipda": "Perpustakaan",
    "rsud": "Rumah Sakit",
}
SYSTEMS = (
    "e-perencanaan",
    "e-penganggaran",
    "e-kontrak",
    "simpeg",
    "sim-aset",
    "e-kinerja",
    "e-surat",
    "data-sektoral",
    "e-retribusi",
    "sim-layanan",
    "sim-program",
    "pelaporan",
)
INTERFACES = ("rekap", "rincian", "referensi", "realisasi", "transaksi", "profil")
ACTIVITIES = (
    "Pemeliharaan",
    "Pengadaan",
    "Pembinaan",
    "Penyusunan",
    "Rehabilitasi",
    "Peningkatan",
    "Pengelolaan",
    "Sosialisasi",
    "Pengawasan",
    "Pembangunan",
    "Penyediaan",
    "Evaluasi",
)
OBJECTS = (
    "jalan lingkungan",
    "gedung kantor",
    "peralatan kerja",
    "data sektoral",
    "saluran drainase",
    "layanan masyarakat",
    "dokumen perencanaan",
    "sarana sekolah",
    "alat kesehatan",
    "jaringan komputer",
    "kendaraan operasional",
    "ruang terbuka hijau",
    "kapasitas aparatur",
    "arsip daerah",
    "bahan pustaka",
    "sanitasi permukiman",
    "pasar rakyat",
    "penerangan jalan",
    "kelompok tani",
    "usaha mikro",
)
OWNERS = (
    "Bidang Aplikasi",
    "Bidang Data dan Statistik",
    "Subbagian Umum",
    "Bidang Pelayanan",
    "Sekretariat",
    "Bidang Infrastruktur",
    "Seksi Informasi",
    "Bidang Program",
)
HOSTING = ("pusat data kota", "pusat data nasional", "komputasi awan", "peladen OPD")
