using System.Net;
using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using PsyLite.Options;
using PsyLite.Tests.Server.Accounts;
using PsyLite.Tests.Store;

namespace PsyLite.Tests.Server;

/// <summary>Beyond this machine: TLS of our own, or a proxy that is believed because it was named.</summary>
public sealed class ProxyTests
{
    [Fact]
    public async Task What_a_named_proxy_says_of_its_caller_is_believed()
    {
        await using var server = await RunningServer.StartAsync(
            ScriptedChatClient.Saying("好。"),
            new ServerSetup { HasAccounts = true, Options = o => o with { Proxies = Exposure.NetworksOf("127.0.0.0/8", "x"), Hosts = ["psy.example.org"] } });
        await Visitor.AddAsync(server, "wang");
        using var request = new HttpRequestMessage(HttpMethod.Get, "/sign-in") { Headers = { { "X-Forwarded-Proto", "https" }, { "X-Forwarded-For", "203.0.113.9" }, { "Host", "psy.example.org" } } };
        using var response = await server.Http.SendAsync(request);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.True(response.Headers.Contains("Strict-Transport-Security"));
        Assert.All(response.Headers.GetValues("Set-Cookie"), c => Assert.Contains("secure", c, StringComparison.OrdinalIgnoreCase));
    }

    [Fact]
    public async Task Nobody_else_is_believed()
    {
        await using var server = await RunningServer.StartAsync(ScriptedChatClient.Saying("好。"), new ServerSetup { HasAccounts = true });
        using var request = new HttpRequestMessage(HttpMethod.Get, "/sign-in") { Headers = { { "X-Forwarded-Proto", "https" }, { "X-Forwarded-For", "203.0.113.9" } } };
        using var response = await server.Http.SendAsync(request);
        Assert.False(response.Headers.Contains("Strict-Transport-Security"));
    }

    [Fact]
    public async Task The_server_speaks_tls_with_the_certificate_it_is_given()
    {
        using var folder = new TemporaryFolder();
        using (var key = ECDsa.Create(ECCurve.NamedCurves.nistP256))
        {
            var request = new CertificateRequest("CN=127.0.0.1", key, HashAlgorithmName.SHA256);
            using var certificate = request.CreateSelfSigned(TimeProvider.System.GetUtcNow().AddDays(-1), TimeProvider.System.GetUtcNow().AddDays(1));
            File.WriteAllText(folder["chain.pem"], certificate.ExportCertificatePem());
            File.WriteAllText(folder["key.pem"], key.ExportPkcs8PrivateKeyPem());
        }

        var options = new AppOptions { Urls = "https://127.0.0.1:0", Certificate = folder["chain.pem"], CertificateKey = folder["key.pem"] };
        options.CheckUrls();
        await using var server = await RunningServer.StartAsync(
            ScriptedChatClient.Saying("好。"), new ServerSetup { Options = o => o with { Urls = options.Urls, Certificate = options.Certificate, CertificateKey = options.CertificateKey } });
        X509Certificate? seen = null;
        using var handler = new SocketsHttpHandler
        {
            SslOptions = new SslClientAuthenticationOptions
            {
                RemoteCertificateValidationCallback = (_, shown, _, _) => (seen = shown) is not null,
            },
        };
        using var http = new HttpClient(handler) { BaseAddress = new Uri(server.Address) };
        using var response = await http.GetAsync("/healthz");
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.True(response.Headers.Contains("Strict-Transport-Security"));
        Assert.Contains("127.0.0.1", seen!.Subject);
    }
}
