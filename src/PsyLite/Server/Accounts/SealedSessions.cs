using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.DataProtection;
using PsyLite.Store.Keys;

namespace PsyLite.Server.Accounts;

/// <summary>
/// Seals what browsers carry for the server with a key of the store: sessions outlive a restart, and every program on the same store reads those
/// of the others. Each purpose has a key of its own, derived by HKDF-SHA256.
/// </summary>
internal sealed class SealedSessions(DataKey key, string purpose = "psylite sessions 1") : IDataProtector
{
    private readonly byte[] _key = HKDF.DeriveKey(HashAlgorithmName.SHA256, key.Bytes.ToArray(), MasterKey.Length, info: Encoding.UTF8.GetBytes(purpose));

    /// <summary>Purposes are told apart by their lengths as well as by their words.</summary>
    public IDataProtector CreateProtector(string part) => new SealedSessions(key, $"{purpose}|{part.Length}|{part}");

    public byte[] Protect(byte[] plaintext) => SealedBox.Seal(_key, plaintext, purpose);

    /// <exception cref="CryptographicException">The bytes were changed or sealed for another purpose.</exception>
    public byte[] Unprotect(byte[] protectedData) => SealedBox.Open(_key, protectedData, purpose);
}
