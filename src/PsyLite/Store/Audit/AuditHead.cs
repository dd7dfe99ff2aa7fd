using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using PsyLite.Store.Keys;

namespace PsyLite.Store.Audit;

/// <summary>
/// The newest record that this installation has written, signed and kept beside the key: a log that was cut short behind it is found out.
/// </summary>
internal sealed record AuditHead(long Sequence, byte[] Hash)
{
    /// <summary>Null when there is no file, which is so before the first record.</summary>
    /// <exception cref="InvalidDataException">The file is not one that the holder of the key wrote.</exception>
    public static AuditHead? Read(string path, DataKey key)
    {
        if (!File.Exists(path))
        {
            return null;
        }

        var parts = File.ReadAllText(path).Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
        if (parts.Length != 3 || !long.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out var sequence) || !TryHex(parts[1], out var hash)
            || !TryHex(parts[2], out var signature) || !CryptographicOperations.FixedTimeEquals(signature, Sign(sequence, hash, key)))
        {
            throw new InvalidDataException($"{path} was not written by this installation.");
        }

        return new AuditHead(sequence, hash);
    }

    public void Write(string path, DataKey key)
    {
        var partial = $"{path}.{RandomNumberGenerator.GetHexString(8, lowercase: true)}.partial";
        OwnerOnlyFile.Write(partial, $"{Sequence} {Convert.ToHexStringLower(Hash)} {Convert.ToHexStringLower(Sign(Sequence, Hash, key))}\n");
        File.Move(partial, path, overwrite: true);
    }

    private static byte[] Sign(long sequence, byte[] hash, DataKey key) =>
        key.Sign(Encoding.UTF8.GetBytes($"audit head|{sequence.ToString(CultureInfo.InvariantCulture)}|{Convert.ToHexStringLower(hash)}"));

    private static bool TryHex(string text, out byte[] bytes)
    {
        bytes = new byte[text.Length / 2];
        return text.Length == 64 && Convert.FromHexString(text, bytes, out _, out _) == System.Buffers.OperationStatus.Done;
    }
}
