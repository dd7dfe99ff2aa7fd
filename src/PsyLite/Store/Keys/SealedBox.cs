using System.Security.Cryptography;
using System.Text;

namespace PsyLite.Store.Keys;

/// <summary>
/// AES-256-GCM: one byte of version, 12 bytes of random nonce, the ciphertext, 16 bytes of tag. The binding is authenticated and not stored:
/// sealed bytes open only under the record for which they were made.
/// </summary>
internal static class SealedBox
{
    private const byte Version = 1;
    private const int NonceLength = 12;
    private const int TagLength = 16;
    private const int Overhead = 1 + NonceLength + TagLength;

    public static byte[] Seal(ReadOnlySpan<byte> key, ReadOnlySpan<byte> plain, string binding)
    {
        var box = new byte[plain.Length + Overhead];
        box[0] = Version;
        var nonce = box.AsSpan(1, NonceLength);
        RandomNumberGenerator.Fill(nonce);
        using var aes = new AesGcm(key, TagLength);
        aes.Encrypt(nonce, plain, box.AsSpan(1 + NonceLength, plain.Length), box.AsSpan(box.Length - TagLength), Encoding.UTF8.GetBytes(binding));
        return box;
    }

    /// <exception cref="CryptographicException">The bytes were changed, belong to another record or to another key.</exception>
    public static byte[] Open(ReadOnlySpan<byte> key, ReadOnlySpan<byte> box, string binding)
    {
        if (box.Length < Overhead || box[0] != Version)
        {
            throw new CryptographicException("these are no sealed bytes.");
        }

        var plain = new byte[box.Length - Overhead];
        using var aes = new AesGcm(key, TagLength);
        aes.Decrypt(box.Slice(1, NonceLength), box.Slice(1 + NonceLength, plain.Length), box[^TagLength..], plain, Encoding.UTF8.GetBytes(binding));
        return plain;
    }
}
