using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace PsyLite.Engine;

/// <summary>
/// A conversation's keys and values on disk. In the clear: magic, identity of model and settings, nonce. Then blocks of
/// AES-256-GCM, each with its number as associated data: the tokens, and the states of parts of them, in order.
/// </summary>
internal static class ConversationFile
{
    public const int IdentityLength = 32;
    private const int NoncePrefixLength = 8;
    private const int HeaderLength = 8 + IdentityLength + NoncePrefixLength;
    private const int TagLength = 16;
    private const int MostTokens = 1 << 22;
    private static ReadOnlySpan<byte> Magic => "PSYKV01\n"u8;

    /// <summary>Starts a file: header and tokens.</summary>
    /// <param name="tokensPerPart">Tokens of each part's state, save for the last one's.</param>
    public static BlockCipher Begin(Stream stream, ReadOnlySpan<byte> identity, byte[] key, ReadOnlySpan<int> tokens, int tokensPerPart)
    {
        Span<byte> header = stackalloc byte[HeaderLength];
        Magic.CopyTo(header);
        identity.CopyTo(header[Magic.Length..]);
        RandomNumberGenerator.Fill(header[^NoncePrefixLength..]);
        stream.Write(header);
        var blocks = new BlockCipher(stream, key, header.ToArray());
        var head = new byte[sizeof(int) * (2 + tokens.Length)];
        BinaryPrimitives.WriteInt32LittleEndian(head, tokens.Length);
        BinaryPrimitives.WriteInt32LittleEndian(head.AsSpan(sizeof(int)), tokensPerPart);
        for (var i = 0; i < tokens.Length; i++)
        {
            BinaryPrimitives.WriteInt32LittleEndian(head.AsSpan(sizeof(int) * (2 + i)), tokens[i]);
        }

        blocks.Write(head);
        return blocks;
    }

    /// <summary>Whether a file was written for this model and these settings; null when it is no such file at all.</summary>
    public static bool? IsFor(Stream stream, ReadOnlySpan<byte> identity)
    {
        Span<byte> header = stackalloc byte[HeaderLength];
        var whole = stream.ReadAtLeast(header, HeaderLength, throwOnEndOfStream: false) == HeaderLength && header.StartsWith(Magic);
        stream.Position = 0;
        return whole ? header.Slice(Magic.Length, IdentityLength).SequenceEqual(identity) : null;
    }

    /// <summary>Reads header and tokens; the parts follow.</summary>
    /// <exception cref="InvalidDataException">The file is damaged, cut off, foreign or of another key.</exception>
    public static (BlockCipher Blocks, int[] Tokens, int TokensPerPart) Open(Stream stream, ReadOnlySpan<byte> identity, byte[] key)
    {
        if (IsFor(stream, identity) != true)
        {
            throw new InvalidDataException("The file holds no conversation of this model.");
        }

        var header = new byte[HeaderLength];
        stream.ReadExactly(header);
        var blocks = new BlockCipher(stream, key, header);
        try
        {
            var head = blocks.Read();
            var count = head.Length >= 2 * sizeof(int) ? BinaryPrimitives.ReadInt32LittleEndian(head) : -1;
            var tokensPerPart = count >= 0 ? BinaryPrimitives.ReadInt32LittleEndian(head[sizeof(int)..]) : 0;
            if (count is < 1 or > MostTokens || tokensPerPart < 1 || head.Length != sizeof(int) * (2 + count))
            {
                throw new InvalidDataException("The file's tokens are damaged.");
            }

            var tokens = MemoryMarshal.Cast<byte, int>(head[(2 * sizeof(int))..]).ToArray();
            if (!BitConverter.IsLittleEndian)
            {
                BinaryPrimitives.ReverseEndianness(tokens, tokens);
            }

            return (blocks, tokens, tokensPerPart);
        }
        catch
        {
            blocks.Dispose();
            throw;
        }
    }

    /// <summary>Blocks in their order; none can be changed, left out, moved or taken from another file unnoticed.</summary>
    internal sealed class BlockCipher(Stream stream, byte[] key, byte[] header) : IDisposable
    {
        private readonly AesGcm cipher = new(key, TagLength);
        private int number;

        /// <summary>Reused from block to block: states are megabytes, and garbage of that size stays for long.</summary>
        private byte[] stored = [];
        private byte[] opened = [];

        public void Write(ReadOnlySpan<byte> plain)
        {
            var block = Room(ref stored, sizeof(int) + plain.Length + TagLength);
            BinaryPrimitives.WriteInt32LittleEndian(block, plain.Length);
            Span<byte> nonce = stackalloc byte[12];
            cipher.Encrypt(Nonce(nonce), plain, block.Slice(sizeof(int), plain.Length), block[(sizeof(int) + plain.Length)..], Bound(plain.Length));
            number++;
            stream.Write(block);
        }

        /// <summary>The next block, valid until the one after it is read.</summary>
        /// <exception cref="InvalidDataException">The block is damaged, cut off, or of another key.</exception>
        public ReadOnlySpan<byte> Read()
        {
            Span<byte> prefix = stackalloc byte[sizeof(int)];
            var length = stream.ReadAtLeast(prefix, sizeof(int), throwOnEndOfStream: false) == sizeof(int) ? BinaryPrimitives.ReadInt32LittleEndian(prefix) : -1;
            if (length < 0 || length > stream.Length - stream.Position - TagLength)
            {
                throw new InvalidDataException("The file ends too early.");
            }

            var block = Room(ref stored, length + TagLength);
            stream.ReadExactly(block);
            var plain = Room(ref opened, length);
            Span<byte> nonce = stackalloc byte[12];
            try
            {
                cipher.Decrypt(Nonce(nonce), block[..length], block[length..], plain, Bound(length));
            }
            catch (CryptographicException failure)
            {
                throw new InvalidDataException("The file is damaged, or was written with another key.", failure);
            }

            number++;
            return plain;
        }

        public void Dispose() => cipher.Dispose();

        private static Span<byte> Room(ref byte[] buffer, int length)
        {
            buffer = buffer.Length < length ? new byte[length] : buffer;
            return buffer.AsSpan(0, length);
        }

        private ReadOnlySpan<byte> Nonce(Span<byte> nonce)
        {
            header.AsSpan(^NoncePrefixLength..).CopyTo(nonce);
            BinaryPrimitives.WriteInt32LittleEndian(nonce[NoncePrefixLength..], number);
            return nonce;
        }

        private byte[] Bound(int length)
        {
            var bound = new byte[header.Length + sizeof(int)];
            header.CopyTo(bound, 0);
            BinaryPrimitives.WriteInt32LittleEndian(bound.AsSpan(header.Length), length);
            return bound;
        }
    }
}
