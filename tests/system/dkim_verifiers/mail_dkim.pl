# mail_dkim.pl RECORDS.json FOLDER: prints {file: {algorithm: result}}.
use strict;
use warnings;
use JSON::PP;
use Mail::DKIM::DNS;
use Mail::DKIM::Verifier;
use Net::DNS;

sub bytes_of {
    open my $file, '<:raw', $_[0] or die "$_[0]: $!";
    local $/;
    return scalar <$file>;
}

my $records = decode_json( bytes_of( $ARGV[0] ) );

package Resolver {
    sub new { return bless {}, shift }
    sub send {
        my ( $self, $name, $type ) = @_;
        my $packet = Net::DNS::Packet->new( $name, $type );
        my @strings = unpack '(a255)*', $records->{$name} // '';
        $packet->push( answer => Net::DNS::RR->new( name => $name, type => 'TXT', txtdata => \@strings ) ) if @strings;
        return $packet;
    }
    sub errorstring { return 'NOERROR' }
}
Mail::DKIM::DNS::resolver( Resolver->new );

my %all;
opendir my $folder, $ARGV[1] or die "$ARGV[1]: $!";
for my $name ( grep { !/^\./ } readdir $folder ) {
    my $verifier = Mail::DKIM::Verifier->new;
    $verifier->PRINT( bytes_of("$ARGV[1]/$name") );
    $verifier->CLOSE;
    $all{$name} = { map { $_->algorithm => $_->result_detail } $verifier->signatures };
}
print encode_json( \%all );
