"""What can be wrong with a file, and with a cell of it."""

from app.kit.problems import Conflict, Invalid
from app.kit.text import Text


class UnreadableFile(Invalid):
    """422: the file as a whole is no table that can be taken; `reason` says why."""

    code = "unreadable_file"
    pointer = "/file"
    title = Text("Berkas tidak dapat dibaca.", "The file cannot be read.")

    def __init__(self, reason: str) -> None:
        """Tell one of the REASONS."""
        self.reason = reason
        super().__init__(REASONS[reason])


#: why a file is refused -> what to tell, and what helps
REASONS = {
    "empty": Text(
        "Berkas kosong. Unduh contoh, isi, lalu unggah lagi.",
        "The file is empty. Download the template, fill it in and upload it again.",
    ),
    "format": Text(
        "Hanya .xlsx dan .csv yang dibaca. Di Excel: Simpan Sebagai, pilih Excel Workbook (.xlsx).",
        "Only .xlsx and .csv are read. In Excel: Save As, choose Excel Workbook (.xlsx).",
    ),
    "old_or_locked": Text(
        "Berkas berformat .xls lama atau terkunci kata sandi. Simpan sebagai .xlsx tanpa kata sandi.",
        "The file is an old .xls or locked with a password. Save it as .xlsx without a password.",
    ),
    "macros": Text(
        "Berkas memuat makro. Simpan sebagai Excel Workbook (.xlsx) tanpa makro.",
        "The file holds macros. Save it as Excel Workbook (.xlsx) without macros.",
    ),
    "encoding": Text(
        "Tulisan dalam berkas tidak terbaca. Simpan sebagai CSV UTF-8.",
        "The text of the file cannot be read. Save it as CSV UTF-8.",
    ),
    "damaged": Text(
        "Berkas rusak. Buka dan simpan ulang sebagai .xlsx, lalu unggah lagi.",
        "The file is damaged. Open it, save it again as .xlsx and upload that.",
    ),
    "too_much": Text(
        "Isi berkas terlalu besar untuk dibaca. Bagi menjadi beberapa berkas, tanpa gambar.",
        "The file holds too much to be read. Split it into several files, without pictures.",
    ),
    "too_many_rows": Text(
        "Paling banyak 50.000 baris. Bagi menjadi beberapa berkas.",
        "At most 50,000 rows. Split it into several files.",
    ),
    "too_many_columns": Text(
        "Paling banyak 100 kolom. Hapus kolom yang tidak dipakai.",
        "At most 100 columns. Delete those that are not used.",
    ),
    "long_cell": Text(
        "Ada sel berisi lebih dari 5.000 karakter, atau tanda kutip yang tidak ditutup.",
        "A cell holds more than 5,000 characters, or a quotation mark is not closed.",
    ),
    "no_header": Text(
        "Baris judul tidak ditemukan: tulis Komoditas, Kualitas, Jumlah, Satuan dan Harga di salah satu dari 20 baris "
        "pertama. Cara termudah: unduh contoh.",
        "There is no header: write commodity, grade, quantity, unit and price in one of the first 20 rows. The "
        "easiest way: download the template.",
    ),
    "no_rows": Text(
        "Tidak ada baris di bawah judul selain contoh.", "There is no row below the header other than the example."
    ),
}


class MissingColumns(Invalid):
    """422: the header lacks columns without which no row can be taken."""

    code = "missing_columns"
    pointer = "/file"
    title = Text("Ada kolom wajib yang belum ada.", "A required column is missing.")


class RepeatedColumn(Invalid):
    """422: two columns of the header mean the same."""

    code = "repeated_column"
    pointer = "/file"
    title = Text("Ada dua kolom dengan arti yang sama.", "Two columns mean the same.")


class ImportsWaiting(Conflict):
    """409: the organisation has as many files waiting as it may."""

    code = "imports_waiting"
    title = Text(
        "Masih banyak berkas Anda yang belum selesai dibaca. Tunggu sampai ada yang selesai.",
        "Many files of yours are still waiting to be taken. Wait until one is done.",
    )


class CellRefused(Exception):
    """Not an error: a cell cannot be taken as it is; the row is refused, the others go on."""

    def __init__(self, code: str, detail: Text, suggestion: Text | None = None) -> None:
        """Say what is wrong in `detail`, and what would be right in `suggestion`."""
        super().__init__(detail.en)
        self.code, self.detail, self.suggestion = code, detail, suggestion
